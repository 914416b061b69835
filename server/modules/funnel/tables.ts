import { defineEntity } from '@mikro-orm/core'
import type { StoreChannel } from '../../../contract/store/order.ts'
import type { VisitStep } from '../../../contract/store/event.ts'
import { codeColumn } from '../../kernel/columns.ts'

/** That somebody came to the storefront on a day, or looked at a card there. */
export const FunnelVisit = defineEntity({
  name: 'FunnelVisit',
  tableName: 'funnel_visit',
  properties: {
    /** The day in China. */
    day: codeColumn(10).primary(),
    channel: codeColumn<StoreChannel>(8).primary(),
    step: codeColumn<VisitStep>(8).primary(),
    /** A fingerprint of the page's random number and the day: on another day it is another. */
    visitorIndex: codeColumn(64).primary(),
  },
})
