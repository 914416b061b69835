import type { RosterField } from '../contract/roster-row.ts'

const synonyms: Record<RosterField, string> = {
  staffNo:
    '工号 员工号 员工编号 职工号 职工编号 人员编号 人员编码 员工代码 员工编码 职员编号 职号 工牌号 employeeid employeeno employeenumber staffno staffid staffnumber empid empno empcode employeecode personnelno workno jobnumber',
  name: '姓名 员工姓名 职工姓名 人员姓名 名字 中文名 中文姓名 成员姓名 领取人 领取人姓名 收件人 name fullname employeename staffname chinesename displayname',
  phone:
    '手机 手机号 手机号码 移动电话 移动电话号码 移动手机 联系手机 手机电话 联系电话 电话 电话号码 联系方式 本人手机 本人手机号 员工手机 员工手机号 mobile mobileno mobilenumber mobilephone phone phoneno phonenumber cellphone cell contactnumber tel',
  department:
    '部门 所属部门 所在部门 部门名称 一级部门 主部门 组织 组织架构 所属组织 单位 所在单位 车间 车间/班组 班组 部门/班组 部门/车间 部门路径 department dept departmentname team division orgunit',
  wecomUserId:
    '企业微信账号 企业微信帐号 企业微信id 企业微信 企微账号 企微帐号 企微id 企业微信userid 企微userid 账号 帐号 成员账号 成员帐号 userid wecomuserid wecomid wecomaccount wecom weworkuserid wxworkid useraccount account',
  amount:
    '福利金额 金额 面额 福利面额 发放金额 卡面额 福利卡面额 福利卡金额 发放标准 福利标准 应发金额 实发金额 礼金 额度 福利额度 充值金额 amount benefitamount facevalue value giftamount benefit',
  hireDate:
    '入职日期 入职时间 入职日 入厂日期 进厂日期 到岗日期 入司日期 入司时间 hiredate dateofhire hiredon startdate joindate joiningdate dateofjoining onboarddate entrydate',
  birthday:
    '生日 出生日期 出生年月日 员工生日 生日日期 出生日 公历生日 birthday birthdate dateofbirth dob birth bornon',
  note: '备注 备注说明 说明 附注 remark remarks note notes comment comments',
}

const fieldOf = new Map<string, RosterField>()
for (const [field, list] of Object.entries(synonyms)) {
  for (const word of list.split(' ')) fieldOf.set(word, field as RosterField)
}

/** Second choices: they count only where no column bears the field's proper name. */
const weak = new Set([
  '联系电话',
  '电话',
  '电话号码',
  '联系方式',
  'tel',
  'phone',
  'phoneno',
  'phonenumber',
  '单位',
  '说明',
  '账号',
  '帐号',
  'account',
  '组织',
  'value',
])

function plainHeader(header: string): string {
  return header
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\([^)]*\)|\[[^\]]*\]|【[^】]*】/g, '')
    .replace(/[\s*:_.\-"'#]|必填|选填|可选/g, '')
}

/** What the headers mean: field -> column index; `twice` names two columns that claim one field. */
export interface ColumnGuess {
  columns: Map<RosterField, number>
  twice: { field: RosterField; columns: [number, number] }[]
}

/** Guesses from header words which column carries which field. A counter (序号) or a landline (座机) maps to nothing. */
export function guessColumns(headers: readonly (string | undefined)[]): ColumnGuess {
  const columns = new Map<RosterField, number>()
  const twice: ColumnGuess['twice'] = []
  const strength = new Map<RosterField, boolean>()
  for (let column = 0; column < headers.length; column += 1) {
    const word = plainHeader(headers[column] ?? '')
    const field = fieldOf.get(word)
    if (!field) continue
    const strong = !weak.has(word)
    const before = columns.get(field)
    const beforeStrong = strength.get(field) ?? false
    if (before === undefined || (strong && !beforeStrong)) {
      columns.set(field, column)
      strength.set(field, strong)
    } else if (strong === beforeStrong) twice.push({ field, columns: [before, column] })
  }
  return { columns, twice: twice.filter((pair) => pair.columns[0] === columns.get(pair.field)) }
}
