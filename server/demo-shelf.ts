import type { z } from 'zod'
import type { BrandEntry } from '../contract/operator/platform-file.ts'
import { CHINA, dayOf, startOfDay } from './kernel/company-day.ts'
import { addDays } from '../contract/wall-clock.ts'

type Template = z.input<typeof BrandEntry>['templates']

const yuan = (amount: number): number => amount * 100
const HOUR_MS = 3_600_000
/** What consumers buy: sealed for three hours, given back unused within seven days, for three years without a name. */
const card = {
  named: false,
  validDays: 1095,
  coolingOffMs: 3 * HOUR_MS,
  rightMs: 7 * 24 * HOUR_MS,
  stepFen: 100,
  scope: '全国门店及线上商城通用，不兑现',
}
const facesOf = (...amounts: number[]) => ({
  faces: amounts.map(yuan),
  minFaceFen: yuan(Math.min(...amounts)),
  maxFaceFen: yuan(Math.max(...amounts)),
})

/** What of the demo's first brand stands on the shelf; one price is lower until the end of tomorrow. */
export function demoGifts(nowMs: number): Template {
  const untilMs = startOfDay(addDays(dayOf(nowMs, CHINA), 2), CHINA)
  const promo = { priceBp: 8_500, fromMs: startOfDay('2026-01-01', CHINA), untilMs, perBuyerCap: 2 }
  return [
    {
      ...card,
      ...facesOf(100, 200, 500),
      name: '鲜果心意卡',
      cover: 'thanks',
      priceBp: 9_500,
      listing: {
        category: 'fresh',
        subtitle: '当季鲜果，门店自提或配送到家',
      },
    },
    {
      ...card,
      name: '生日礼遇卡',
      cover: 'birthday',
      minFaceFen: yuan(50),
      maxFaceFen: yuan(1000),
      stepFen: yuan(10),
      listing: {
        category: 'general',
        subtitle: '50 至 1000 元，面额随心',
      },
    },
    {
      ...card,
      ...facesOf(300),
      name: '青禾十周年纪念卡',
      cover: 'anniversary',
      listing: {
        category: 'festival',
        subtitle: '限量 200 张，每张有编号',
        series: true,
        stock: 200,
        perBuyerCap: 2,
      },
    },
    {
      ...card,
      ...facesOf(200, 400, 800),
      name: '中秋家宴卡',
      cover: 'mid_autumn',
      priceBp: 9_800,
      listing: {
        category: 'dining',
        subtitle: '限时优惠，每人两张',
        stock: 500,
        promo,
      },
    },
    {
      ...card,
      name: '商超购物卡',
      validDays: null,
      minFaceFen: yuan(10),
      maxFaceFen: yuan(1000),
      listing: {
        category: 'supermarket',
        subtitle: '不限有效期，一卡通行',
        giftable: false,
      },
    },
  ]
}

/** What of the second one does. */
export const demoCoffees: Template = [
  {
    ...card,
    ...facesOf(30, 50, 100),
    name: '咖啡心意卡',
    cover: 'thanks',
    scope: '沐光咖啡直营门店',
    listing: {
      category: 'drinks',
      subtitle: '请朋友喝一杯',
    },
  },
  {
    ...card,
    ...facesOf(128),
    name: '双人下午茶卡',
    cover: 'birthday',
    scope: '沐光咖啡直营门店',
    priceBp: 9_000,
    listing: {
      category: 'dining',
      subtitle: '两杯咖啡，两份甜点',
      stock: 8,
    },
  },
]
