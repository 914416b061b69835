import { defineConfig } from 'vite'
import { phoneBuild } from '../phone-build.ts'

/** The card pack. */
export default defineConfig(phoneBuild({ page: 'pack', source: 'employee' }))
