/** Installs the Debian packages that the tests need; with `--bench` or `--image` those of these. */
import { ensurePackages } from './packages.ts'

const { argv } = process
await ensurePackages(
  argv.includes('--bench') ? 'bench' : argv.includes('--image') ? 'image' : 'test',
)
