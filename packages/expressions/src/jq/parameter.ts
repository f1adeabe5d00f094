import type { Value } from '../json.ts';
import { type Closure, drive, Filter, type Frame, type Signal } from './filter.ts';
import type { Path } from './path.ts';
import { climb } from './scope.ts';

/** A reference to a closure argument: evaluates it in the frame of whoever passed it. */
export class ParameterFilter extends Filter {
  readonly resolve: (frame: Frame) => Closure;

  constructor(hops: number, slot: number, tail: boolean) {
    const up = climb(hops);
    const resolve = (frame: Frame): Closure => up(frame).slots[slot] as Closure;
    super(
      null,
      (frame, input, emit) => {
        const closure = resolve(frame);
        frame.machine.step(1);
        const signal = closure.filter.run(closure.frame, input, emit);
        return tail ? signal : drive(frame.machine, signal);
      },
      () =>
        (frame: Frame, path: Path, value: Value, emit: (path: Path, value: Value) => Signal): Signal => {
          const closure = resolve(frame);
          frame.machine.step(1);
          return closure.filter.paths(closure.frame, path, value, emit);
        },
    );
    this.resolve = resolve;
  }
}
