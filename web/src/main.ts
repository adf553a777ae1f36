import { VueQueryPlugin } from '@tanstack/vue-query'
import { createApp } from 'vue'
import App from './App.vue'
import { i18n, startLocale } from './app/i18n'
import { queryClient } from './app/queryClient'
import { router } from './app/router'
import './app/theme.css'

await startLocale()
createApp(App).use(i18n).use(VueQueryPlugin, { queryClient }).use(router).mount('#app')
