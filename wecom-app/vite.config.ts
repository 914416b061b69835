import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

/** The consoles of HR and of the platform, and the till of a shop. The card pack is a build of its own (pack/vite.config.ts). */
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
      input: ['console', 'ops', 'till'].map((page) => `${import.meta.dirname}/${page}/index.html`),
    },
  },
})
