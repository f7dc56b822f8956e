/** Installs the Debian packages that the tests need; with `--bench`, `--containers` or `--image` those of these. */
import { ensurePackages } from './packages.ts'

const use = (['bench', 'containers', 'image'] as const).find((name) =>
  process.argv.includes(`--${name}`),
)
await ensurePackages(use)
