import type { Reporter, TestModule } from 'vitest/node'

/** Closes a test run with one plain line that people and machines can count: `N passed, N failed, N skipped`. */
export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state]++
      // A file that could not even be loaded is a failure, though it holds no test.
      if (module.state() === 'failed' && module.errors().length > 0) count.failed++
    }
    const line = `${count.passed} passed, ${count.failed} failed, ${count.skipped + count.pending} skipped`
    // After the default reporter's own summary, which prints in the same tick.
    setImmediate(() => console.log(line))
  }
}
