/** What stands on a poster: it hangs in a workshop in China, whatever language the console is read in. */
export const posterWords = {
  steps: {
    direct: ['用微信扫一扫，打开领取页', '填名单上您的手机号，收验证码', '输入验证码，领到您的福利卡'],
    adds: ['用微信扫一扫，添加工作人员', '点开聊天里收到的领取卡片', '用手机号收验证码，领到福利卡'],
  },
  scan: '微信扫码领取',
  besides: '加不上好友？扫这个码直接领',
  help: '不在名单上或没收到验证码，请联系人事',
  own: '一人一卡，凭本人手机号领取，请勿代领',
  at: (site: string): string => `地点：${site}`,
} as const
