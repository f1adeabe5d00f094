import { type CharSet, hostSet } from './charset.ts';

/** POSIX bracket names, which are also property names (Oniguruma, doc/RE §6, Unicode case). */
const POSIX: Readonly<Record<string, string>> = {
  alnum: '\\p{Alphabetic}\\p{Nd}',
  alpha: '\\p{Alphabetic}',
  ascii: '\\u0000-\\u007f',
  blank: '\\p{Zs}\\t',
  cntrl: '\\p{Cc}',
  digit: '\\p{Nd}',
  graph: '\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Cf}\\p{Co}',
  lower: '\\p{Lowercase}',
  print: '\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Cf}\\p{Co}\\p{Zs}',
  punct: '\\p{P}\\p{S}',
  space: '\\p{White_Space}',
  upper: '\\p{Uppercase}',
  xdigit: '0-9A-Fa-f',
  word: '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}',
};

/** Canonical spellings the host understands; a user may write them in any case and with spaces, `-` or `_`. */
const CATEGORIES =
  'L Lu Ll Lt LC Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp C Cc Cf Cs Co Cn Letter ' +
  'Uppercase_Letter Lowercase_Letter Titlecase_Letter Cased_Letter Modifier_Letter Other_Letter Mark Nonspacing_Mark ' +
  'Spacing_Mark Enclosing_Mark Number Decimal_Number Letter_Number Other_Number Punctuation Connector_Punctuation ' +
  'Dash_Punctuation Open_Punctuation Close_Punctuation Initial_Punctuation Final_Punctuation Other_Punctuation Symbol ' +
  'Math_Symbol Currency_Symbol Modifier_Symbol Other_Symbol Separator Space_Separator Line_Separator ' +
  'Paragraph_Separator Other Control Format Surrogate Private_Use Unassigned';
const BINARY =
  'Any Assigned Alphabetic Uppercase Lowercase White_Space Emoji Emoji_Presentation Emoji_Modifier ' +
  'Emoji_Modifier_Base Emoji_Component Extended_Pictographic Ideographic Math Hex_Digit ASCII_Hex_Digit ID_Start ' +
  'ID_Continue XID_Start XID_Continue Cased Case_Ignorable Dash Diacritic Extender Default_Ignorable_Code_Point ' +
  'Grapheme_Base Grapheme_Extend Join_Control Logical_Order_Exception Noncharacter_Code_Point Pattern_Syntax ' +
  'Pattern_White_Space Quotation_Mark Radical Regional_Indicator Sentence_Terminal Soft_Dotted Terminal_Punctuation ' +
  'Unified_Ideograph Variation_Selector Bidi_Control Bidi_Mirrored Deprecated';
const SCRIPTS =
  'Adlam Arabic Armenian Avestan Balinese Bamum Batak Bengali Bopomofo Brahmi Braille Buginese Buhid ' +
  'Canadian_Aboriginal Carian Chakma Cham Cherokee Common Coptic Cuneiform Cypriot Cyrillic Deseret Devanagari ' +
  'Egyptian_Hieroglyphs Ethiopic Georgian Glagolitic Gothic Greek Gujarati Gurmukhi Han Hangul Hanunoo Hebrew Hiragana ' +
  'Imperial_Aramaic Inherited Javanese Kannada Katakana Kayah_Li Kharoshthi Khmer Lao Latin Lepcha Limbu Linear_A ' +
  'Linear_B Lisu Lycian Lydian Malayalam Mandaic Meetei_Mayek Mongolian Myanmar New_Tai_Lue Nko Ogham Ol_Chiki ' +
  'Old_Italic Old_Persian Old_South_Arabian Old_Turkic Oriya Osage Osmanya Phags_Pa Phoenician Rejang Runic Samaritan ' +
  'Saurashtra Shavian Sinhala Sundanese Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet Tamil Tangut ' +
  'Telugu Thaana Thai Tibetan Tifinagh Ugaritic Vai Yi';

const normalize = (name: string): string => name.toLowerCase().replace(/[\s_-]/g, '');

function hostSource(name: string): string | undefined {
  const posix = POSIX[name];
  if (posix !== undefined) return posix;
  for (const known of `${CATEGORIES} ${BINARY}`.split(' ')) if (normalize(known) === name) return `\\p{${known}}`;
  for (const script of SCRIPTS.split(' ')) if (normalize(script) === name) return `\\p{Script=${script}}`;
  return undefined;
}

const found = new Map<string, CharSet>();

/** The set behind `\p{name}`, or undefined. Names of Unicode blocks (`In_…`) are not known. */
export function findProperty(name: string): CharSet | undefined {
  const key = normalize(name);
  const hit = found.get(key);
  if (hit !== undefined) return hit;
  const source = hostSource(key);
  if (source === undefined) return undefined;
  const set = hostSet(source);
  found.set(key, set);
  return set;
}

/** The set behind `[:name:]`, or undefined. Unlike property names these are matched exactly. */
export function findPosix(name: string): CharSet | undefined {
  return Object.hasOwn(POSIX, name) ? findProperty(name) : undefined;
}
