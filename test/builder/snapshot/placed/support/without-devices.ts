/** Places a layer without the right to make devices: a process in a user namespace. Prints JSON. */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PlacedRoot } from '#builder/snapshot'

const [base = '', home = ''] = process.argv.slice(2)
const [root, found] = [join(home, 'root'), join(home, 'found')]
const warnings: string[] = []
const placed = new PlacedRoot(root, { onWarning: (warning) => warnings.push(warning) })
placed.place([base])
const shown = readdirSync(root)
writeFileSync(join(root, 'b'), '')
placed.collect(found)
process.stdout.write(JSON.stringify({ warnings, shown, upper: readdirSync(found) }))
