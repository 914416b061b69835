import { useI18n } from 'vue-i18n'

/** Says why WeChat Pay refused something; a code that nobody has words for is quoted. */
export function useReasons(): (code: string) => string {
  const texts = useI18n()
  return (code) =>
    texts.te(`settlement.reasons.${code}`)
      ? texts.t(`settlement.reasons.${code}`)
      : texts.t('settlement.reasonUnknown', { code })
}
