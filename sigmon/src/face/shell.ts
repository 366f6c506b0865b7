import { shellEn } from '../words/shell-en.ts'
import { shellId, type ShellWords } from '../words/shell-id.ts'
import type { Language } from './format.ts'

/** The words of the shell, loaded where there is one. */
export const shellWords = (language: Language): ShellWords => (language === 'id' ? shellId : shellEn)
