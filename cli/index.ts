export { COMMANDS, type Command } from './commands.ts'
export { commandHelp, programHelp } from './help.ts'
export { main } from './main.ts'
