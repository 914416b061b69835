import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

/** One build, three pages: the console for HR, the card pack for employees, the platform's own console. */
export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  plugins: [vue()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // The content security policy takes scripts from files only: nothing may be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: ['console', 'pack', 'ops'].map((page) => `${import.meta.dirname}/${page}/index.html`),
    },
  },
})
