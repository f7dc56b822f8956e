/** Installs the Debian packages that the tests need; with `--bench` those of the bench as well. */
import { ensurePackages } from './packages.ts'

await ensurePackages(process.argv.includes('--bench'))
