import { AddressBookIcon } from 'tdesign-icons-vue-next'
import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: '/directory',
    name: 'directory',
    component: () => import('../pages/directory/DirectoryPage.vue'),
    meta: {
      title: 'directory.title',
      menu: { order: 25, titleKey: 'directory.title', icon: AddressBookIcon, may: 'directory.read' },
    },
  },
]
