/** Installs the Debian packages that the tests need, and those of `--bench` and `--containers`. */
import { ensurePackages } from './packages.ts'

const users = (['bench', 'containers'] as const).filter((user) =>
  process.argv.includes(`--${user}`),
)
await ensurePackages(users)
