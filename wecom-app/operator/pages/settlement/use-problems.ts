import { useI18n } from 'vue-i18n'
import type { Payouts } from '../../../../contract/operator/settlement.ts'

type Payout = Payouts['payouts'][number]

/** Why the bank refused a payout: now, or before it was paid out again. */
export function useProblems(): (payout: Pick<Payout, 'state' | 'problem'>) => string {
  const { t } = useI18n()
  return ({ state, problem }) => {
    if (problem === null) return ''
    const why = t(`payouts.problems.${problem}`)
    return state === 'failed' ? why : t('payouts.lastTime', { why })
  }
}
