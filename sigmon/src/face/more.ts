import { moreEn } from '../words/more-en.ts'
import { moreId, type More } from '../words/more-id.ts'
import type { Language } from './format.ts'

/** The words of the screens that come later, with the code of the first of them. */
export const moreWords = (language: Language): More => (language === 'id' ? moreId : moreEn)
