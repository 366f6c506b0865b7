import { helpEn } from '../words/help-en.ts'
import { helpId, type Help } from '../words/help-id.ts'
import type { Language } from './format.ts'

export const helpWords = (language: Language): Help => (language === 'id' ? helpId : helpEn)
