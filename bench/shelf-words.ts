/** What the shelf of `bench -- shelf` is made of, and what is searched in it. */
const names = [
  '星河',
  '青禾',
  '沐光',
  '云栖',
  '山海',
  '竹语',
  '锦绣',
  '知味',
  '乐享',
  '蓝鲸',
  '晨曦',
  '南风',
  '北辰',
  '木棉',
  '江南',
  '长安',
]
const goods = [
  '咖啡',
  '奶茶',
  '火锅',
  '烘焙',
  '鲜果',
  '影城',
  '书店',
  '酒店',
  '超市',
  '美妆',
  '数码',
  '健身',
  '花店',
  '牛排',
  '粥铺',
]
const kinds = ['心意卡', '礼品卡', '畅享卡', '生日卡', '会员卡', '联名卡', '年卡', '体验卡']

/** Every face is there for all of them, so that one price suits all. */
export const FACE_FEN = 10_000
export const titleOf = (index: number): string =>
  `${names[index % names.length]}${goods[Math.floor(index / names.length) % goods.length]}${
    kinds[Math.floor(index / names.length / goods.length) % kinds.length]
  }${index}`
export const searches = [
  '咖啡',
  'xinghe',
  'qhnc',
  '心意',
  'huoguo',
  'ljsm',
  '生日卡',
  'shanhai',
  '书店',
  'zwhj',
] as const
