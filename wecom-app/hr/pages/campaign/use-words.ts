import { useI18n } from 'vue-i18n'
import { mergeFields } from '../../../../contract/greeting.ts'
import type { StartingWords } from './draft-content.ts'

/** Titles and greetings to start from, in the reader's language, with the merge fields in their places. */
export function useWords(): StartingWords {
  const { t } = useI18n()
  const [name, department, company] = mergeFields
  return {
    title: (occasion) => t(`campaign.defaultTitle.${occasion}`),
    greeting: (occasion) => t(`campaign.defaultGreeting.${occasion}`, { name, department, company }),
  }
}
