/**
 * Builtins that are best said in jq itself: they are compiled the first time a program uses them. Each key is
 * `name/arity`, each value one definition.
 */
export const PRELUDE: Readonly<Record<string, string>> = {
  'values/0': 'def values: select(. != null);',
  'nulls/0': 'def nulls: select(. == null);',
  'booleans/0': 'def booleans: select(type == "boolean");',
  'numbers/0': 'def numbers: select(type == "number");',
  'strings/0': 'def strings: select(type == "string");',
  'arrays/0': 'def arrays: select(type == "array");',
  'objects/0': 'def objects: select(type == "object");',
  'iterables/0': 'def iterables: select(type == "array" or type == "object");',
  'scalars/0': 'def scalars: select(type != "array" and type != "object");',
  'finites/0': 'def finites: select(type == "number" and isfinite);',
  'normals/0': 'def normals: select(isnormal);',
  'with_entries/1': 'def with_entries(f): to_entries | map(f) | from_entries;',
  'paths/0': 'def paths: path(..) | select(length > 0);',
  'paths/1': 'def paths(f): path(.. | select(f)) | select(length > 0);',
  'leaf_paths/0': 'def leaf_paths: paths(scalars);',
  'combinations/1': 'def combinations(n): . as $set | [range(n) | $set] | combinations;',
  'truncate_stream/1':
    'def truncate_stream(stream): . as $n | null | stream | . as $e | if ($e[0] | length) > $n then setpath([0]; $e[0][$n:]) else empty end;',
  'fromstream/1':
    'def fromstream(stream): {x: null, e: false} as $none | foreach stream as $e ($none; if .e then $none end | if ($e | length) == 2 then .e = (($e[0] | length) == 0) | setpath(["x"] + $e[0]; $e[1]) else .e = (($e[0] | length) == 1) end; if .e then .x else empty end);',
  'INDEX/2': 'def INDEX(rows; key): reduce rows as $row ({}; .[$row | key | tostring] = $row);',
  'INDEX/1': 'def INDEX(key): INDEX(.[]; key);',
  'GROUP_BY/1': 'def GROUP_BY(key): group_by(key);',
  'UNIQUE_BY/1': 'def UNIQUE_BY(key): unique_by(key);',
  'JOIN/2': 'def JOIN($index; key): [.[] | [., $index[key]]];',
  'JOIN/3': 'def JOIN($index; rows; key): rows | [., $index[key]];',
  'JOIN/4': 'def JOIN($index; rows; key; combine): rows | [., $index[key]] | combine;',
  'IN/1': 'def IN(set): any(set == .; .);',
  'IN/2': 'def IN(rows; set): any(rows == set; .);',
};
