import { createApp } from 'vue'
import '../lib/base.css'
import '../lib/phone-tokens.css'
import '../lib/phone.css'
import App from './App.vue'
import { router } from './router.ts'

createApp(App).use(router).mount('#app')
