/// <reference types="vite/client" />
import 'vue-router'
import type { Component } from 'vue'
import type { Ability } from '../../contract/abilities.ts'

declare module 'vue-router' {
  interface RouteMeta {
    /** Key of the page's title. */
    title?: string
    /** An entry of the audience's menu. */
    menu?: {
      order: number
      titleKey: string
      icon: Component
      /** Key of the heading above the entries of one group. */
      groupKey?: string
      /** Shown only to whom has this ability. */ may?: Ability
    }
    /** The name of the menu entry that this page belongs to. */
    under?: string
    /** May be seen without being signed in. */
    public?: boolean
    /** Files of texts that the page needs, where an audience brings them page by page. */
    areas?: readonly string[]
  }
}
