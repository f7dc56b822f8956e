/** Removes compiled tests whose source is gone: mocha would run them, too. */
import { existsSync, globSync, rmSync } from 'node:fs'

for (const path of globSync('dist/test/**/*.test.js')) {
  const source = path.replace(/^dist\/(.*)js$/, '$1ts')
  if (!existsSync(source)) rmSync(path)
}
