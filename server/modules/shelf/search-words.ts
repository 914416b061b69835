import { pinyin } from 'pinyin-pro'
import { SEARCH_CHARACTERS, type ListingCategory } from '../../../contract/store/shelf.ts'
import { refuse } from '../../kernel/errors.ts'

/** By which words people look for a category. */
const categoryWords: Readonly<Record<ListingCategory, string>> = {
  general: '通用礼品卡 gift',
  dining: '餐饮美食 dining food',
  drinks: '咖啡茶饮奶茶 coffee tea drinks',
  supermarket: '商超百货超市 supermarket',
  fresh: '生鲜水果 fresh fruit',
  beauty: '美妆护肤 beauty',
  entertainment: '影音娱乐电影 entertainment film',
  travel: '出行酒店旅游 travel hotel',
  digital: '数码家电 digital',
  books: '图书文具 books',
  festival: '节日礼盒 festival',
}

/**
 * What is searched in: texts as they are, in pinyin and by its first letters, a line each, without spaces. Long, so it is made when
 * texts change and not when somebody searches.
 */
export function searchTextOf(texts: readonly string[]): string {
  const lines = texts.flatMap((text) => {
    const plain = plainOf(text)
    if (plain === '') return []
    const spoken = (pattern: 'pinyin' | 'first') =>
      plainOf(pinyin(plain, { toneType: 'none', type: 'array', nonZh: 'consecutive', v: true, pattern }).join(''))
    return [plain, spoken('pinyin'), spoken('first')]
  })
  return [...new Set(lines)].join('\n')
}

/** What is searched in for a listing's own texts; its brand's words come beside them. */
export const listingSearchText = (listing: {
  readonly title: string
  readonly subtitle: string
  readonly category: ListingCategory
}): string => searchTextOf([listing.title, listing.subtitle, ...categoryWords[listing.category].split(' ')])

/** The words of a search, all of which must be there. Refuses with `search_too_long` before anything is done with them. */
export function searchTerms(search: string | undefined): string[] {
  if (search === undefined) return []
  if (search.length > SEARCH_CHARACTERS) refuse('search_too_long', { field: 'search' })
  return [...new Set(search.split(/\s+/).map(plainOf))].filter((term) => term !== '')
}

/** One form for what is written in full width, in capitals, with an apostrophe between syllables, or with ü. */
const plainOf = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[\s'’·]/g, '')
    .replaceAll('ü', 'v')
