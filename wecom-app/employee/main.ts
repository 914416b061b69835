import { createApp } from 'vue'
import '../lib/base.css'
import './tokens.css'
import './pack.css'
import App from './App.vue'
import { router } from './router.ts'

createApp(App).use(router).mount('#app')
