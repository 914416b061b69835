import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'
import vue from '@vitejs/plugin-vue'
import type { Plugin, UserConfig } from 'vite'

/**
 * The pages of a phone, after the consoles are built. Each on its own, so that its first view is one program and one sheet of
 * styles with nothing in them that only another page needs: shared with them it would come in thirty files (page budget, D8).
 * `page` is the folder of its shell, `source` that of its program.
 */
export function phoneBuild({ page, source }: { readonly page: string; readonly source: string }): UserConfig {
  return {
    root,
    base: '/',
    publicDir: false,
    plugins: [vue(), early(`${source}/early.ts`), compressed()],
    resolve: { alias: { 'vue-i18n': join(root, source, 'texts.ts') } },
    define: {
      // Nothing on a phone is written with Vue's options.
      __VUE_OPTIONS_API__: false,
    },
    build: {
      outDir,
      emptyOutDir: false,
      target: 'es2022',
      // The content security policy takes scripts from files only: nothing may be inlined.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      rolldownOptions: {
        input: join(root, page, 'index.html'),
        // What every page needs comes in three files, however the pages behind a tap share it: each file more is another turn.
        // The first is what asks before the program is there; it may lean on nothing that comes later.
        output: {
          codeSplitting: {
            groups: [
              {
                name: 'first',
                test: /lib\/(money|early-reads)\.ts$|contract\/fen\.ts$|employee\/(audience|card-groups)\.ts$/,
                priority: 3,
              },
              { name: 'vue', test: /node_modules\/(@vue|vue|vue-router)\//, priority: 2 },
              { name: 'base', test: /wecom-app\/lib\/[\w-]+\.ts$|vite\/preload-helper|plugin-vue\/export-helper/ },
            ],
          },
        },
      },
    },
  }
}

const root = import.meta.dirname
const outDir = join(root, 'dist')

/** The small file that asks the server at once: it stands before the program and waits for nothing. */
function early(file: string): Plugin {
  return {
    name: 'early',
    apply: 'build',
    buildStart() {
      this.emitFile({ type: 'chunk', id: join(root, file), name: 'early' })
    },
    transformIndexHtml: {
      order: 'post',
      handler: (html, { bundle = {} }) => {
        const chunk = Object.values(bundle).find((one) => one.type === 'chunk' && one.name === 'early')
        if (chunk?.type !== 'chunk') throw new Error(`${file} is not in the build`)
        const script = { tag: 'script', attrs: { type: 'module', async: true, src: `/${chunk.fileName}` } }
        const parts = chunk.imports.map((name) => ({
          tag: 'link',
          attrs: { rel: 'modulepreload', crossorigin: true, href: `/${name}` },
        }))
        return { html, tags: [script, ...parts].map((tag) => ({ ...tag, injectTo: 'head-prepend' as const })) }
      },
    },
  }
}

const LEAST_BYTES = 1024
/** Text of a kilobyte and more lies there compressed as well as can be; the server sends it as it lies. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    async writeBundle(_options, bundle) {
      const names = Object.keys(bundle).filter((name) => /\.(js|css|svg|html)$/.test(name))
      await Promise.all(
        names.map(async (name) => {
          const raw = await readFile(join(outDir, name))
          if (raw.length < LEAST_BYTES) return
          await writeFile(join(outDir, `${name}.br`), await promisify(brotliCompress)(raw))
          await writeFile(join(outDir, `${name}.gz`), await promisify(gzip)(raw, { level: 9 }))
        }),
      )
    },
  }
}
