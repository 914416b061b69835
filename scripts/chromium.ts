import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { installDebian, mustNotSkip, sayLoudly } from './debian.ts'

/**
 * The arguments for every Chromium that tests start. The last ones keep it from calling its maker, which a closed
 * network refuses many times over and a test must not depend on.
 */
export const chromiumArgs: readonly string[] = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const usualPlaces = ['/usr/bin/chromium', '/usr/bin/chromium-browser']

/**
 * Finds a Chromium and a Chinese font, installing both from Debian where that is allowed, and answers its path.
 * `CHROMIUM` names another one. Null when there is none; with `CI=true` that, or a missing font, is thrown instead.
 */
export async function provideChromium(): Promise<string | null> {
  const path = givenChromium() ?? findChromium() ?? (await installChromium())
  if (path === null) {
    if (mustNotSkip()) throw new Error('no Chromium: set CHROMIUM to its path, or install chromium and fonts-noto-cjk')
    return null
  }
  if (!hasChineseFont() && !(await installDebian(['fontconfig', 'fonts-noto-cjk'], 'no Chinese font'))) {
    const missing = 'no Chinese font: install fonts-noto-cjk, or screenshots show empty boxes'
    if (mustNotSkip()) throw new Error(missing)
    sayLoudly(missing)
  }
  return path
}

function givenChromium(): string | null {
  const path = process.env['CHROMIUM']
  if (path === undefined || path === '') return null
  if (!existsSync(path)) throw new Error('CHROMIUM names a file that is not there')
  return path
}

function findChromium(): string | null {
  return usualPlaces.find((path) => existsSync(path)) ?? null
}

async function installChromium(): Promise<string | null> {
  const installed = await installDebian(['chromium', 'fonts-noto-cjk'], 'no Chromium on this machine')
  return installed ? findChromium() : null
}

function hasChineseFont(): boolean {
  const listed = spawnSync('fc-list', [':lang=zh-cn', 'family'], { encoding: 'utf8' })
  return listed.status === 0 && listed.stdout.trim() !== ''
}
