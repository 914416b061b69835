import { defineConfig } from 'vite'
import { phoneBuild } from '../phone-build.ts'

/** The storefront. */
export default defineConfig(phoneBuild({ page: 'shop', source: 'store' }))
