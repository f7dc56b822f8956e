/** Installs the Debian packages that the tests need; with `--image` or `--guest` those that make either. */
import { ensurePackages, type PackageUse } from './packages.ts'

const OTHERS: readonly PackageUse[] = ['image', 'guest']

await ensurePackages(OTHERS.find((use) => process.argv.includes(`--${use}`)) ?? 'test')
