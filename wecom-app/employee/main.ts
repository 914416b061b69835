import { createApp } from 'vue'
import 'tdesign-mobile-vue/es/style/index.css'
import '../lib/base.css'
import './pack.css'
import { createTexts } from '../lib/language.ts'
import App from './App.vue'
import { showTextSize } from './large-text.ts'
import { router } from './router.ts'

showTextSize()
const texts = createTexts(import.meta.glob('./locales/*/*.json', { eager: true, import: 'default' }))
createApp(App).use(texts).use(router).mount('#app')
