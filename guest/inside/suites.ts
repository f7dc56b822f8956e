import { globSync } from 'node:fs'

/** Tests that run in one process of the guest, as root. */
export interface Suite {
  readonly name: string
  /** Compiled test files, from the repository. */
  readonly files: readonly string[]
}

/** What depends on the kernel, on its control groups, or on what systemd makes of them. */
export const SUITES: readonly Suite[] = [
  { name: 'guest', files: found('dist/guest/suites/*.guest.js') },
  { name: 'limits', files: found('dist/test/builder/sandbox/limits/*.test.js') },
  {
    name: 'sandbox',
    files: found(
      'dist/test/builder/sandbox/{container,process,root,threads,filter,network}/*.test.js',
    ),
  },
  { name: 'rootless', files: found('dist/test/builder/sandbox/host/*.test.js') },
  { name: 'in place', files: found('dist/test/builder/sandbox/in-place/*.test.js') },
  {
    name: 'end to end',
    files: found('dist/test/e2e/hello.test.js', 'dist/test/e2e/rights/*.test.js'),
  },
  { name: 'probe', files: found('dist/test/e2e/probe.test.js') },
]

function found(...patterns: readonly string[]): readonly string[] {
  return globSync(patterns).toSorted()
}
