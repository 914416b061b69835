// Builds the pages when they are missing or older than what they are made of; `npm run pages` always builds.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'vite'

const root = join(import.meta.dirname, '..')
const built = join(root, 'wecom-app/dist/console/index.html')

/** The newest change below a folder, in epoch ms. */
function newest(folder: string): number {
  return Math.max(
    0,
    ...readdirSync(folder, { withFileTypes: true }).map((entry) => {
      if (entry.name === 'dist' || entry.name === 'node_modules') return 0
      const path = join(folder, entry.name)
      return entry.isDirectory() ? newest(path) : statSync(path).mtimeMs
    }),
  )
}

const sources = Math.max(newest(join(root, 'wecom-app')), newest(join(root, 'contract')))
if (!existsSync(built) || statSync(built).mtimeMs < sources) {
  console.log('building the pages …')
  for (const config of ['vite.config.ts', 'pack/vite.config.ts', 'shop/vite.config.ts'])
    await build({ root: join(root, 'wecom-app'), configFile: join(root, 'wecom-app', config), logLevel: 'warn' })
}
