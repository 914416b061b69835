import { createApp } from 'vue'
import 'tdesign-mobile-vue/es/style/index.css'
import '../lib/base.css'
import './till.css'
import { createTexts } from '../lib/texts.ts'
import App from './App.vue'
import { router } from './router.ts'
import { allowTones } from './tone.ts'

const texts = createTexts(import.meta.glob('./locales/*/*.json', { eager: true, import: 'default' }))
createApp(App).use(texts).use(router).mount('#app')
for (const touch of ['pointerdown', 'keydown']) window.addEventListener(touch, allowTones, { passive: true })
