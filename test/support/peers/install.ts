/** Installs the Debian packages that the tests need; with `--image` those that make the image. */
import { ensurePackages } from './packages.ts'

await ensurePackages(process.argv.includes('--image') ? 'image' : 'test')
