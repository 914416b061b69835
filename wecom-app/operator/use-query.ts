import { useRoute, useRouter } from 'vue-router'

/** What the address asks a page for: `?state=stuck`. What is undefined is taken out of it. */
export function useQuery(): {
  readonly asked: (key: string) => string
  readonly show: (changes: Readonly<Record<string, string | undefined>>) => void
} {
  const [route, router] = [useRoute(), useRouter()]
  return {
    asked: (key) => {
      const value = route.query[key]
      return typeof value === 'string' ? value : ''
    },
    show: (changes) => void router.replace({ query: { ...route.query, ...changes } }),
  }
}
