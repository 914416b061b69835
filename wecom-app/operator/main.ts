import { createApp } from 'vue'
import 'tdesign-vue-next/es/style/index.css'
import '../lib/base.css'
import '../hr/console.css'
import './operator.css'
import { watchDialogs } from '../lib/dialogs.ts'
import { createTexts } from '../lib/texts.ts'
import App from './App.vue'
import { router } from './router.ts'

const texts = createTexts(import.meta.glob('./locales/*/*.json', { eager: true, import: 'default' }))
createApp(App).use(texts).use(router).mount('#app')
watchDialogs(() => String(texts.global.t('common.close')))
