/**
 * Reads Vitest's JSON report and prints the closing line "N passed, N failed".
 *   node scripts/count-tests.ts REPORT
 * Ends with 1 when a test failed, a file did not load, no test ran, or (with CI=true) a test was skipped.
 */
import { readFileSync } from 'node:fs'
import { mustNotSkip } from './debian.ts'

process.exitCode = countTests(process.argv[2] ?? '.tmp/vitest.json')

function countTests(path: string): number {
  const report = readReport(path)
  if (report === null) {
    process.stdout.write('no test report was written: the test run broke off\n0 passed, 0 failed\n')
    return 1
  }
  const { passed, failed, skipped, broken } = report
  for (const name of broken) process.stdout.write(`did not load: ${name}\n`)
  if (skipped > 0) process.stdout.write(`${skipped} skipped\n`)
  if (passed + failed === 0) process.stdout.write('no test ran\n')
  process.stdout.write(`${passed} passed, ${failed} failed\n`)
  const bad = failed > 0 || broken.length > 0 || passed === 0 || (skipped > 0 && mustNotSkip())
  return bad ? 1 : 0
}

interface Report {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** Files that failed without a single failed test, such as one with a broken import. */
  readonly broken: readonly string[]
}

function readReport(path: string): Report | null {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return null
  }
  if (!isRecord(json)) return null
  const files = Array.isArray(json['testResults']) ? json['testResults'].filter(isRecord) : []
  const broken = files.filter((file) => file['status'] === 'failed' && !hasFailedTest(file['assertionResults']))
  return {
    passed: numberOf(json['numPassedTests']),
    failed: numberOf(json['numFailedTests']),
    skipped: numberOf(json['numPendingTests']),
    broken: broken.map((file) => String(file['name'])),
  }
}

function hasFailedTest(tests: unknown): boolean {
  return Array.isArray(tests) && tests.some((test) => isRecord(test) && test['status'] === 'failed')
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
