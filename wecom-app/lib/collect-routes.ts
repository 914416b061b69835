import type { RouteRecordRaw } from 'vue-router'

/** All routes of an audience's `routes/<part>.ts` files, each of which exports `routes`. */
export function collectRoutes(
  files: Readonly<Record<string, { readonly routes: readonly RouteRecordRaw[] }>>,
): RouteRecordRaw[] {
  return Object.values(files).flatMap((file) => [...file.routes])
}
