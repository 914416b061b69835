import { useI18n } from 'vue-i18n'
import { payeeKind } from '../../settlement-words.ts'

/** Says whom a payout is for. */
export function usePayees(): (one: { readonly payee: string; readonly payeeName: string }) => string {
  const { t } = useI18n()
  return ({ payee, payeeName }) => {
    const kind = payeeKind(payee)
    return kind === 'named' ? payeeName || payee : t(`payouts.payees.${kind}`)
  }
}
