import { ref, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { toApiProblem } from './api.ts'

/** Something that a person does by a button: one at a time, and what went wrong is told in words. */
export function useAct(): {
  readonly busy: Ref<boolean>
  readonly failure: Ref<string | null>
  /** True when it was done. */
  readonly act: (work: () => Promise<unknown>) => Promise<boolean>
} {
  const { t } = useI18n()
  const busy = ref(false)
  const failure = ref<string | null>(null)
  async function act(work: () => Promise<unknown>): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    failure.value = null
    try {
      await work()
      return true
    } catch (error) {
      const { status, message } = toApiProblem(error)
      failure.value = status === 0 ? t('common.error.network') : message
      return false
    } finally {
      busy.value = false
    }
  }
  return { busy, failure, act }
}
