import { describe, expect, it } from 'vitest';
import type { Json } from '../../json.ts';
import { BUILTIN_HELP, FORMATS } from '../../lint/index.ts';
import { compile, ExpressionError } from '../index.ts';

/** What a program must give: its outputs, or the error it ends with. */
type Case = readonly [program: string, input: Json, outputs: readonly Json[] | RegExp];

const people: Json = [
  { n: 'b', a: 2 },
  { n: 'a', a: 2 },
  { n: 'c', a: 1 },
];

/** By `name/arity`; what is known to be `nan` or inexact is asked about in the program itself. */
const CASES: Readonly<Record<string, readonly Case[]>> = {
  // Paths and shape
  'empty/0': [['1, empty, 2', null, [1, 2]]],
  'not/0': [['.[] | not', [null, false, 0, ''], [true, true, false, false]]],
  'length/0': [
    ['.[] | length', ['añ😀', [1, 2], { a: 1 }, null, -5], [3, 2, 1, 0, 5]],
    ['length', true, /boolean \(true\) has no length/],
  ],
  'utf8bytelength/0': [
    ['utf8bytelength', 'aé€😀', [10]],
    ['utf8bytelength', 1, /only strings/],
  ],
  'keys/0': [
    ['keys', { b: 1, a: 2 }, [['a', 'b']]],
    ['keys', [7, 8], [[0, 1]]],
  ],
  'keys_unsorted/0': [['keys_unsorted', { b: 1, a: 2 }, [['b', 'a']]]],
  'has/1': [
    ['has("a"), has("b")', { a: null }, [true, false]],
    ['has(0, 1)', [1], [true, false]],
    ['has("a")', [1], /Cannot check whether array has a string key/],
  ],
  'in/1': [['.[] | in({a: 1})', ['a', 'b'], [true, false]]],
  'contains/1': [
    ['contains({a: ["x"]})', { a: ['axb'], b: 1 }, [true]],
    ['contains("b"), contains("z")', 'abc', [true, false]],
  ],
  'inside/1': [['inside("abc")', 'b', [true]]],
  'type/0': [['.[] | type', [null, true, 1, 'a', [], {}], ['null', 'boolean', 'number', 'string', 'array', 'object']]],
  'path/1': [['path(.a[0], .b)', null, [['a', 0], ['b']]]],
  'paths/0': [['[paths]', { a: [1] }, [[['a'], ['a', 0]]]]],
  'paths/1': [['[paths(type == "number")]', { a: [1, 'x'] }, [[['a', 0]]]]],
  'leaf_paths/0': [['[leaf_paths]', { a: [1] }, [[['a', 0]]]]],
  'getpath/1': [
    ['getpath(["a", "b"], ["x", "y"])', { a: { b: 1 } }, [1, null]],
    ['getpath(["a", "b"])', { a: 1 }, /Cannot index number/],
  ],
  'setpath/2': [['setpath(["a", 0]; 1)', null, [{ a: [1] }]]],
  'delpaths/1': [['delpaths([["a"], ["b", 0]])', { a: 1, b: [1, 2] }, [{ b: [2] }]]],
  'del/1': [
    ['del(.[0, 2])', [1, 2, 3], [[2]]],
    ['del(.a)', { a: 1, b: 2 }, [{ b: 2 }]],
  ],
  'pick/1': [['pick(.a.b, .c)', { a: { b: 1, x: 2 }, c: 3, d: 4 }, [{ a: { b: 1 }, c: 3 }]]],
  'to_entries/0': [['to_entries', { a: 1 }, [[{ key: 'a', value: 1 }]]]],
  'from_entries/0': [
    [
      'from_entries',
      [{ key: 'a', value: 1 }, { name: 'b', value: false }, { k: 'c' }].slice(0, 2),
      [{ a: 1, b: false }],
    ],
  ],
  'with_entries/1': [['with_entries(.value += 1)', { a: 1 }, [{ a: 2 }]]],
  'walk/1': [['walk(if type == "number" then . + 1 else . end)', { a: [1, { b: 2 }] }, [{ a: [2, { b: 3 }] }]]],
  'recurse/0': [['[recurse]', [[1]], [[[[1]], [1], 1]]]],
  'recurse/1': [['[recurse(if . < 3 then . + 1 else empty end)]', 1, [[1, 2, 3]]]],
  'recurse/2': [['[recurse(. * .; . < 100)]', 2, [[2, 4, 16]]]],
  'recurse_down/0': [['[recurse_down]', [1], [[[1], 1]]]],
  'env/0': [['env', null, [{}]]],
  'transpose/0': [
    [
      'transpose',
      [[1, 2], [3]],
      [
        [
          [1, 3],
          [2, null],
        ],
      ],
    ],
  ],
  'tostream/0': [['[tostream]', { a: [1] }, [[[['a', 0], 1], [['a', 0]], [['a']]]]]],
  'fromstream/1': [['fromstream(tostream)', { a: [1, { b: 2 }] }, [{ a: [1, { b: 2 }] }]]],
  'truncate_stream/1': [['[1 | truncate_stream([[0], 1], [[1, 0], 2], [[1, 0]], [[1]])]', null, [[[[0], 2], [[0]]]]]],

  // Arrays
  'map/1': [
    ['map(. + 1)', [1, 2], [[2, 3]]],
    ['map(., .)', [1], [[1, 1]]],
    ['map(. + 1)', { a: 1 }, [[2]]],
  ],
  'map_values/1': [
    ['map_values(. + 1)', { a: 1 }, [{ a: 2 }]],
    ['map_values(empty)', { a: 1 }, [{}]],
  ],
  'select/1': [['.[] | select(. > 1)', [1, 2, 3], [2, 3]]],
  'add/0': [
    ['.[] | add', [[1, 2], ['a', 'b'], [[1], [2]], [{ a: 1 }, { b: 2 }], []], [3, 'ab', [1, 2], { a: 1, b: 2 }, null]],
    ['add', [1, 'a'], /number \(1\) and string \("a"\) cannot be added/],
  ],
  'add/1': [['add(.[].a)', people, [5]]],
  'any/0': [['.[] | any', [[false, 1], [null], []], [true, false, false]]],
  'any/1': [['any(. > 2)', [1, 2, 3], [true]]],
  'any/2': [['any(.[]; . > 3)', [1, 2, 3], [false]]],
  'all/0': [['.[] | all', [[true, 1], [1, null], []], [true, false, true]]],
  'all/1': [['all(. > 0)', [1, 2, 3], [true]]],
  'all/2': [['all(.[]; . > 1)', [1, 2, 3], [false]]],
  'flatten/0': [['flatten', [1, [[2]], []], [[1, 2]]]],
  'flatten/1': [
    ['flatten(1)', [1, [[2]]], [[1, [2]]]],
    ['flatten(-1)', [1], /depth must not be negative/],
  ],
  'range/1': [['[range(3)]', null, [[0, 1, 2]]]],
  'range/2': [['[range(1; 3), range(0, 1; 3, 4)]', null, [[1, 2, 0, 1, 2, 0, 1, 2, 3, 1, 2, 1, 2, 3]]]],
  'range/3': [['[range(0; 10; 4)], [range(3; 0; -1)], [range(0; 1; 0)]', null, [[0, 4, 8], [3, 2, 1], []]]],
  'sort/0': [
    ['sort', [{}, [], 'b', 'a', 2, 1, true, false, null], [[null, false, true, 1, 2, 'a', 'b', [], {}]]],
    ['sort', { a: 1 }, /cannot be sorted/],
  ],
  'sort_by/1': [['sort_by(.a, .n) | map(.n)', people, [['c', 'a', 'b']]]],
  'group_by/1': [['group_by(.a) | map(map(.n))', people, [[['c'], ['b', 'a']]]]],
  'GROUP_BY/1': [['GROUP_BY(.a) | length', people, [2]]],
  'unique/0': [['unique', [2, 1, 2], [[1, 2]]]],
  'unique_by/1': [['unique_by(.a) | map(.n)', people, [['c', 'b']]]],
  'UNIQUE_BY/1': [['UNIQUE_BY(.a) | length', people, [2]]],
  'min/0': [
    ['min', [2, 1], [1]],
    ['min', [], [null]],
  ],
  'max/0': [['max', [2, 3, 1], [3]]],
  'min_by/1': [['min_by(.a).n', people, ['c']]],
  'max_by/1': [['max_by(.a).n', people, ['a']]],
  'reverse/0': [
    ['reverse', [1, 2], [[2, 1]]],
    ['reverse', null, [[]]],
  ],
  'first/0': [['first', [1, 2], [1]]],
  'first/1': [
    ['first(.[], error("never"))', [1, 2], [1]],
    ['first(empty)', null, []],
  ],
  'last/0': [['last', [1, 2], [2]]],
  'last/1': [
    ['last(.[])', [1, 2], [2]],
    ['last(empty)', null, []],
    ['last(.[]) |= 1', [2], /Invalid path/],
  ],
  'nth/1': [['nth(1)', [1, 2], [2]]],
  'nth/2': [
    ['nth(0, 2, 5; .[])', [1, 2, 3], [1, 3]],
    ['nth(-1; 1)', null, /negative/],
  ],
  'index/1': [
    ['index("b"), index("z")', 'abcb', [1, null]],
    ['index(2)', [1, 2, 2], [1]],
  ],
  'rindex/1': [['rindex("b")', 'abcb', [3]]],
  'indices/1': [
    ['indices("aa"), indices("")', 'aaa', [[0, 1], []]],
    ['indices([1, 2])', [0, 1, 2, 1, 2], [[1, 3]]],
  ],
  'bsearch/1': [
    ['bsearch(1, 2, 0)', [1, 3], [0, -2, -1]],
    ['bsearch(1)', null, /cannot be searched from/],
  ],
  'combinations/0': [
    [
      '[combinations]',
      [
        [1, 2],
        [3, 4],
      ],
      [
        [
          [1, 3],
          [1, 4],
          [2, 3],
          [2, 4],
        ],
      ],
    ],
  ],
  'combinations/1': [
    [
      '[combinations(2)]',
      [0, 1],
      [
        [
          [0, 0],
          [0, 1],
          [1, 0],
          [1, 1],
        ],
      ],
    ],
  ],
  'IN/1': [['.[] | IN(1, 2)', [1, 3], [true, false]]],
  'IN/2': [['IN(.[]; 2, 9)', [1, 2], [true]]],
  'INDEX/1': [['INDEX(.n) | map_values(.a)', people, [{ b: 2, a: 2, c: 1 }]]],
  'INDEX/2': [['INDEX(.[]; .n) | keys', people, [['a', 'b', 'c']]]],
  'JOIN/2': [
    [
      'JOIN({"1": "one"}; .a | tostring)',
      [{ a: 1 }, { a: 2 }],
      [
        [
          [{ a: 1 }, 'one'],
          [{ a: 2 }, null],
        ],
      ],
    ],
  ],
  'JOIN/3': [
    [
      '[JOIN({"1": "one"}; .[]; tostring)]',
      [1, 2],
      [
        [
          [1, 'one'],
          [2, null],
        ],
      ],
    ],
  ],
  'JOIN/4': [['[JOIN({"1": "one"}; .[]; tostring; .[1])]', [1, 2], [['one', null]]]],
  'toarray/0': [
    ['toarray', 1, [[1]]],
    ['toarray', [1], [[1]]],
  ],

  // Flow
  'limit/2': [
    ['[limit(2; .[])], [limit(0; error)]', [1, 2, 3], [[1, 2], []]],
    ['limit(-1; 1)', null, /negative count/],
  ],
  'skip/2': [
    ['[skip(1; .[])]', [1, 2, 3], [[2, 3]]],
    ['skip(-1; 1)', null, /negative count/],
  ],
  'until/2': [
    ['until(. > 100; . * 2)', 1, [128]],
    ['[until(. > 2; . + 1, . + 2)]', 1, [[3, 4, 3]]],
  ],
  'while/2': [['[while(. < 5; . * 2)]', 1, [[1, 2, 4]]]],
  'repeat/1': [['[limit(4; repeat(., 1))]', 0, [[0, 1, 0, 1]]]],
  'isempty/1': [['isempty(empty), isempty(1, error("never"))', null, [true, false]]],
  'error/0': [
    ['error', 'x', /^x/],
    ['try error catch .', { a: 1 }, [{ a: 1 }]],
  ],
  'error/1': [
    ['error("x")', null, /^x/],
    ['try error({a: 1}) catch .a', null, [1]],
  ],
  'halt/0': [['halt', null, /not available/]],
  'halt_error/0': [['halt_error', 'x', /not available/]],
  'halt_error/1': [['halt_error(1)', 'x', /not available/]],
  'debug/0': [['debug', 1, [1]]],
  'debug/1': [['debug("x")', 1, [1]]],
  'stderr/0': [['stderr', 1, [1]]],
  'input/0': [['input', null, /break/]],
  'inputs/0': [['[inputs]', null, [[]]]],
  'input_filename/0': [['input_filename', null, [null]]],
  'input_line_number/0': [['input_line_number', null, [0]]],
  'builtins/0': [['builtins | contains(["map/1", "gsub/3"])', null, [true]]],
  'get_search_list/0': [['get_search_list', null, [[]]]],

  // Kinds
  'arrays/0': [['.[] | arrays', [1, []], [[]]]],
  'objects/0': [['.[] | objects', [1, {}], [{}]]],
  'iterables/0': [['.[] | iterables', [1, [], {}], [[], {}]]],
  'booleans/0': [['.[] | booleans', [1, false], [false]]],
  'numbers/0': [['.[] | numbers', [1, 'a'], [1]]],
  'strings/0': [['.[] | strings', [1, 'a'], ['a']]],
  'nulls/0': [['.[] | nulls', [1, null], [null]]],
  'values/0': [['.[] | values', [1, null, false], [1, false]]],
  'scalars/0': [['.[] | scalars', [1, [], null], [1, null]]],
  'finites/0': [['.[], infinite | finites', [1, 'a'], [1]]],
  'normals/0': [['.[] | normals', [1, 0, 5e-324], [1]]],
  'isnan/0': [['nan, 1 | isnan', null, [true, false]]],
  'isinfinite/0': [['infinite, -infinite, 1 | isinfinite', null, [true, true, false]]],
  'isfinite/0': [['infinite, 1 | isfinite', null, [false, true]]],
  'isnormal/0': [['1, 0, 5e-324, infinite | isnormal', null, [true, false, false, false]]],
  'isvalid/1': [['isvalid(.a), isvalid(.[0])', { a: 1 }, [true, false]]],
  'infinite/0': [['infinite > 1e308, (infinite | tojson)', null, [true, '1.7976931348623157e+308']]],
  'nan/0': [['nan == nan, nan < 1, ([nan] | tojson)', null, [false, true, '[null]']]],
  'null/0': [['null', 1, [null]]],
  'true/0': [['true', 1, [true]]],
  'false/0': [['false', 1, [false]]],
  '$__loc__/0': [['$__loc__', null, [{ file: '<top-level>', line: 1 }]]],
  '$ENV/0': [['$ENV', null, [{}]]],

  // Strings
  'tostring/0': [['.[] | tostring', ['a', 1, [1, 'b']], ['a', '1', '[1,"b"]']]],
  'tonumber/0': [
    ['.[] | tonumber', ['1.50', '-2e3', 3], [1.5, -2000, 3]],
    ['tonumber', ' 1', /cannot be parsed as a number/],
  ],
  'toboolean/0': [
    ['.[] | toboolean', ['true', 'false', true], [true, false, true]],
    ['toboolean', 1, /cannot be parsed/],
  ],
  'tojson/0': [['.[] | tojson', ['é"\n', 1.5, { a: null }], ['"é\\"\\n"', '1.5', '{"a":null}']]],
  'fromjson/0': [
    ['fromjson', '{"a":[1,null]}', [{ a: [1, null] }]],
    ['fromjson', '{', /Unfinished JSON term/],
  ],
  'ascii/0': [['ascii', 65, ['A']]],
  'ascii_downcase/0': [['ascii_downcase', 'AÉz', ['aÉz']]],
  'ascii_upcase/0': [['ascii_upcase', 'aéZ', ['AéZ']]],
  'explode/0': [['explode', 'a😀', [[97, 128512]]]],
  'implode/0': [
    ['implode', [97, 128512], ['a😀']],
    ['implode', ['a'], /needs to be numeric/],
  ],
  'startswith/1': [
    ['startswith("a"), startswith("b")', 'ab', [true, false]],
    ['startswith(1)', 'a', /requires string/],
  ],
  'endswith/1': [['endswith("b"), endswith("a")', 'ab', [true, false]]],
  'ltrimstr/1': [['ltrimstr("a"), ltrimstr("x")', 'aab', ['ab', 'aab']]],
  'rtrimstr/1': [['rtrimstr("b"), rtrimstr("x")', 'abb', ['ab', 'abb']]],
  'trimstr/1': [['trimstr("a")', 'aba', ['b']]],
  'trim/0': [
    ['trim', ' \ta b\n', ['a b']],
    ['trim', 1, /must be a string/],
  ],
  'ltrim/0': [['ltrim', ' a ', ['a ']]],
  'rtrim/0': [['rtrim', ' a ', [' a']]],
  'split/1': [
    ['split(", ")', 'a, b', [['a', 'b']]],
    ['split("")', 'a😀', [['a', '😀']]],
    ['split(1)', 'a', /must be strings/],
  ],
  'split/2': [['split(", *"; null)', 'a,  b,c', [['a', 'b', 'c']]]],
  'splits/1': [['splits(", *")', 'a,  b', ['a', 'b']]],
  'splits/2': [['splits("X"; "i")', 'axb', ['a', 'b']]],
  'join/1': [
    ['join("-")', ['a', 1, null, true], ['a-1--true']],
    ['join(",")', [], ['']],
    ['join(",")', ['a', []], /cannot be added/],
  ],
  'test/1': [
    ['test("^a.c$")', 'abc', [true]],
    ['test("(")', 'a', /Regex failure|end pattern/],
  ],
  'test/2': [
    ['test("A"; "i"), test("a b"; "x")', 'ab', [true, true]],
    ['test("a"; "q")', 'a', /not a valid modifier/],
  ],
  'match/1': [
    [
      'match("(?<x>b)(z)?")',
      'aéb',
      [
        {
          offset: 2,
          length: 1,
          string: 'b',
          captures: [
            { offset: 2, length: 1, string: 'b', name: 'x' },
            { offset: -1, length: 0, string: null, name: null },
          ],
        },
      ],
    ],
  ],
  'match/2': [['[match("a"; "g").offset]', 'aba', [[0, 2]]]],
  'capture/1': [['capture("(?<y>[0-9]+)-(?<m>[0-9]+)")', '2024-05', [{ y: '2024', m: '05' }]]],
  'capture/2': [['[capture("(?<l>[a-z])"; "gi").l]', 'aB', [['a', 'B']]]],
  'scan/1': [
    ['[scan("[a-z]")]', 'a1b', [['a', 'b']]],
    [
      '[scan("([a-z])([0-9])")]',
      'a1b2',
      [
        [
          ['a', '1'],
          ['b', '2'],
        ],
      ],
    ],
  ],
  'scan/2': [['[scan("A"; "i")]', 'aA', [['a', 'A']]]],
  'sub/2': [
    ['sub("(?<x>a)"; "<\\(.x)>")', 'baa', ['b<a>a']],
    ['[sub("a"; "1", "2")]', 'a', [['1', '2']]],
  ],
  'sub/3': [['sub("A"; "x"; "gi")', 'aA', ['xx']]],
  'gsub/2': [
    ['gsub("[aeiou]"; "_")', 'banana', ['b_n_n_']],
    ['gsub(""; "-")', 'ab', ['-a-b-']],
  ],
  'gsub/3': [['gsub("A"; "x"; "i")', 'aA', ['xx']]],
  'format/1': [
    ['format("base64")', 'hi', ['aGk=']],
    ['format("nope")', 1, /not a valid format/],
  ],

  // Dates
  'now/0': [['now > 1700000000', null, [true]]],
  'todate/0': [['todate', 1425599621, ['2015-03-05T23:53:41Z']]],
  'fromdate/0': [
    ['fromdate', '2015-03-05T23:51:47Z', [1425599507]],
    ['fromdate', 'x', /does not match format/],
  ],
  'todateiso8601/0': [['todateiso8601', 0, ['1970-01-01T00:00:00Z']]],
  'fromdateiso8601/0': [['fromdateiso8601', '1970-01-01T00:00:01Z', [1]]],
  'date/0': [['date', 0, ['1970-01-01T00:00:00Z']]],
  'dateadd/2': [['dateadd("seconds"; 60)', '1970-01-01T00:00:00Z', ['1970-01-01T00:01:00Z']]],
  'datesub/2': [['datesub("seconds"; 60)', '1970-01-01T00:01:00Z', ['1970-01-01T00:00:00Z']]],
  'gmtime/0': [['gmtime', 1425599621, [[2015, 2, 5, 23, 53, 41, 4, 63]]]],
  'localtime/0': [['localtime', 0, [[1970, 0, 1, 0, 0, 0, 4, 0]]]],
  'mktime/0': [
    ['mktime', [2015, 2, 5, 23, 51, 47, 4, 63], [1425599507]],
    ['mktime', 1, /requires array/],
  ],
  'strftime/1': [['strftime("%Y-%m-%d %H:%M:%S %a %j")', 1425599621, ['2015-03-05 23:53:41 Thu 064']]],
  'strflocaltime/1': [['strflocaltime("%Y %Z")', 0, ['1970 UTC']]],
  'strptime/1': [['strptime("%d/%m/%Y")', '05/03/2015', [[2015, 2, 5, 0, 0, 0, 4, 63]]]],

  // Numbers
  'abs/0': [
    ['.[] | abs', [-1.5, 2], [1.5, 2]],
    ['abs', null, /no absolute value/],
  ],
  'fabs/0': [['fabs', -1.5, [1.5]]],
  'floor/0': [
    ['.[] | floor', [1.7, -1.2], [1, -2]],
    ['floor', 'a', /number required/],
  ],
  'ceil/0': [['.[] | ceil', [1.2, -1.7], [2, -1]]],
  'round/0': [['.[] | round', [1.5, -1.5, 2.4], [2, -2, 2]]],
  'trunc/0': [['.[] | trunc', [1.7, -1.7], [1, -1]]],
  'rint/0': [['.[] | rint', [0.5, 1.5, 2.5], [0, 2, 2]]],
  'nearbyint/0': [['.[] | nearbyint', [0.5, 1.5], [0, 2]]],
  'sqrt/0': [
    ['sqrt', 9, [3]],
    ['sqrt | isnan', -1, [true]],
  ],
  'cbrt/0': [['cbrt', 27, [3]]],
  'exp/0': [['exp', 0, [1]]],
  'exp2/0': [['exp2', 10, [1024]]],
  'exp10/0': [['exp10', 3, [1000]]],
  'pow10/0': [['pow10', 2, [100]]],
  'expm1/0': [['expm1', 0, [0]]],
  'log/0': [['log', 1, [0]]],
  'log2/0': [['log2', 8, [3]]],
  'log10/0': [['log10', 1000, [3]]],
  'log1p/0': [['log1p', 0, [0]]],
  'logb/0': [['logb', 10, [3]]],
  'significand/0': [['significand', 10, [1.25]]],
  'frexp/0': [['frexp', 10, [[0.625, 4]]]],
  'modf/0': [['modf', 3.25, [[0.25, 3]]]],
  'gamma/0': [['gamma - (24 | log) | fabs < 1e-12', 5, [true]]],
  'lgamma/0': [['lgamma - (24 | log) | fabs < 1e-12', 5, [true]]],
  'lgamma_r/0': [['lgamma_r | .[1], (.[0] - (24 | log) | fabs < 1e-12)', 5, [1, true]]],
  'tgamma/0': [['tgamma - 24 | fabs < 1e-9', 5, [true]]],
  'sin/0': [['sin', 0, [0]]],
  'cos/0': [['cos', 0, [1]]],
  'tan/0': [['tan', 0, [0]]],
  'asin/0': [['asin * 2 - (0 | acos) * 2 | fabs < 1e-15', 1, [true]]],
  'acos/0': [['acos', 1, [0]]],
  'atan/0': [['atan * 4 - 3.141592653589793 | fabs < 1e-15', 1, [true]]],
  'sinh/0': [['sinh', 0, [0]]],
  'cosh/0': [['cosh', 0, [1]]],
  'tanh/0': [['tanh', 0, [0]]],
  'asinh/0': [['asinh', 0, [0]]],
  'acosh/0': [['acosh', 1, [0]]],
  'atanh/0': [['atanh', 0, [0]]],
  'erf/0': [
    ['erf', 0, [0]],
    ['(1 | erf) - 0.8427007929497149 | fabs < 1e-14', null, [true]],
  ],
  'erfc/0': [['erfc', 0, [1]]],
  'j0/0': [['j0', 0, [1]]],
  'j1/0': [['j1', 0, [0]]],
  'jn/2': [['jn(2; 1) - 0.11490348493190049 | fabs < 1e-12', null, [true]]],
  'y0/0': [['y0 - 0.08825696421567697 | fabs < 1e-9', 1, [true]]],
  'y1/0': [['y1 - -0.7812128213002887 | fabs < 1e-9', 1, [true]]],
  'yn/2': [['yn(0; 1) - 0.08825696421567697 | fabs < 1e-9', null, [true]]],
  'pow/2': [
    ['pow(2; 10), pow(4; 0.5)', null, [1024, 2]],
    ['pow("a"; 1)', null, /number required/],
  ],
  'atan2/2': [['atan2(0; 1)', null, [0]]],
  'fmin/2': [['fmin(1; 2)', null, [1]]],
  'fmax/2': [['fmax(1; 2)', null, [2]]],
  'fmod/2': [['fmod(-5; 3)', null, [-2]]],
  'remainder/2': [['remainder(5; 3)', null, [-1]]],
  'drem/2': [['drem(10; 4)', null, [2]]],
  'fdim/2': [['fdim(5; 3), fdim(3; 5)', null, [2, 0]]],
  'fma/3': [['fma(2; 3; 4)', null, [10]]],
  'hypot/2': [['hypot(3; 4)', null, [5]]],
  'copysign/2': [['copysign(1; -2)', null, [-1]]],
  'ldexp/2': [['ldexp(3; 2)', null, [12]]],
  'scalb/2': [['scalb(3; 2)', null, [12]]],
  'scalbln/2': [['scalbln(3; 2)', null, [12]]],
  'nextafter/2': [['nextafter(1; 2) - 1', null, [2 ** -52]]],
  'nexttoward/2': [['nexttoward(1; 0) < 1', null, [true]]],
  'have_decnum/0': [['have_decnum | type', null, ['boolean']]],
  'have_literal_numbers/0': [['have_literal_numbers', null, [true]]],
};

const FORMAT_CASES: Readonly<Record<string, readonly Case[]>> = {
  '@text': [
    ['@text', [1, 'a'], ['[1,"a"]']],
    ['@text "x\\(.)"', 'y', ['xy']],
  ],
  '@json': [
    ['@json', 'a"', ['"a\\""']],
    ['@json "v=\\(.)"', [1], ['v=[1]']],
  ],
  '@html': [['@html', `<a href='x'>&"`, ['&lt;a href=&apos;x&apos;&gt;&amp;&quot;']]],
  '@uri': [['@uri', "ü -_.~!*'()/", ['%C3%BC%20-_.~%21%2A%27%28%29%2F']]],
  '@urid': [
    ['@urid', '%C3%BC%20x', ['ü x']],
    ['@urid', '%zz', /not a valid uri/],
  ],
  '@csv': [
    ['@csv', [1, 'a"b', null, true], ['1,"a""b",,true']],
    ['@csv', [[]], /not valid in a csv row/],
  ],
  '@tsv': [['@tsv', ['a\tb', 1, null], ['a\\tb\t1\t']]],
  '@sh': [
    ['@sh', ["it's", 1], ["'it'\\''s' 1"]],
    ['@sh', [{}], /can not be escaped for shell/],
  ],
  '@base64': [['@base64', 'é', ['w6k=']]],
  '@base64d': [
    ['@base64d', 'w6k=', ['é']],
    ['@base64d', '?', /not valid base64/],
  ],
  '@base32': [['@base32', 'hi', ['NBUQ====']]],
  '@base32d': [['@base32d', 'NBUQ====', ['hi']]],
};

function check(program: string, input: Json, expected: readonly Json[] | RegExp): void {
  if (!(expected instanceof RegExp)) {
    expect(compile(program).all(input)).toEqual(expected);
    return;
  }
  try {
    compile(program).all(input);
  } catch (error) {
    expect(error).toBeInstanceOf(ExpressionError);
    expect(error).toMatchObject({ kind: 'runtime', message: expect.stringMatching(expected) });
    return;
  }
  expect.unreachable(`${program} must fail`);
}

describe('builtins', () => {
  it.each(Object.entries(CASES))('%s', (signature, cases) => {
    const [name = ''] = signature.split('/');
    for (const [program, input, expected] of cases) {
      expect(program).toContain(name);
      check(program, input, expected);
    }
  });

  it('each one that completion offers has a case, and no other', () => {
    const offered = BUILTIN_HELP.map(({ name, arity }) => `${name}/${arity}`);
    expect(Object.keys(CASES).sort()).toEqual(offered.sort());
  });
});

describe('formats', () => {
  it.each(Object.entries(FORMAT_CASES))('%s', (_name, cases) => {
    for (const [program, input, expected] of cases) check(program, input, expected);
  });

  it('each one that completion offers has a case, and no other', () => {
    expect(Object.keys(FORMAT_CASES).sort()).toEqual(Object.keys(FORMATS).sort());
  });
});
