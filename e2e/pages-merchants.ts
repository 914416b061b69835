import { press, type Place } from './pages-money.ts'
import type { PagesWorld } from './pages-world.ts'

/** Who takes cards and where: the list, one merchant, and each dialog. */
export function merchantPlaces({ merchant }: PagesWorld): Place[] {
  const at = (name: string, path: string, act?: Place[3]): Place =>
    act === undefined ? [`ops-${name}`, `/ops/${path}`, 'operator'] : [`ops-${name}`, `/ops/${path}`, 'operator', act]
  const one = `merchants/${merchant}`
  return [
    at('merchants', 'merchants'),
    at('merchant-new', 'merchants', press(/^(新增商户|Add merchant)$/)),
    at('merchant', one),
    at('merchant-rename', one, press(/^(改名称|Rename)$/)),
    at('merchant-suspend', one, press(/^(暂停收卡|Suspend)$/)),
    at('shop-new', one, press(/^(新增门店|Add shop)$/)),
    at('shop-change', one, press(/^(修改|Change) 青禾优选/)),
    at('shop-close', one, press(/^(停用|Close down) /)),
    at('clerk-new', one, press(/^(新增店员|Add clerk)$/)),
    at('clerk-link', one, press(/^(登录码|Sign-in code) /)),
    at('clerk-remove', one, press(/^(移除|Remove) /)),
    at('terminal-new', one, press(/^(新增终端|Add a terminal)$/)),
    at('terminal-rotate', one, press(/^(换密钥|New key) /)),
    at('terminal-revoke', one, press(/^(停用|Revoke) 沙箱/)),
    at('webhook-new', one, press(/^(新增通知地址|Add an address)$/)),
    at('webhook-pause', one, press(/^(暂停|Pause) http/)),
    at('merchant-missing', 'merchants/xyz'),
  ]
}
