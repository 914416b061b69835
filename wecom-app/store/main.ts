import { createApp } from 'vue'
import '../lib/base.css'
import '../lib/phone-tokens.css'
import '../lib/phone.css'
import App from './App.vue'
import { router } from './router.ts'
import { takeRefusal } from './store-state.ts'

// Before the router reads the address.
takeRefusal()
createApp(App).use(router).mount('#app')
