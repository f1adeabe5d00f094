import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** A process that is started again whenever it ends, as by a supervisor. */
export class Supervised {
  private readonly start: () => ChildProcess;
  private child: ChildProcess;
  private isStopping = false;
  private isHalted = false;

  constructor(start: () => ChildProcess) {
    this.start = start;
    this.child = this.launch();
  }

  /** False = it is not running at this moment. */
  kill(): boolean {
    return isRunning(this.child) && this.child.kill('SIGKILL');
  }

  /** It stands still (SIGSTOP) until `resume`, or its end. False = it is not running at this moment. */
  halt(): boolean {
    if (this.isHalted || !isRunning(this.child)) return false;
    this.isHalted = this.child.kill('SIGSTOP');
    return this.isHalted;
  }

  resume(): void {
    if (this.isHalted) this.child.kill('SIGCONT');
    this.isHalted = false;
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    this.resume();
    if (!isRunning(this.child)) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
  }

  private launch(): ChildProcess {
    const child = this.start();
    this.isHalted = false;
    child.once('exit', () => {
      // A server ends by itself when it finds no database at its start.
      setTimeout(() => {
        if (!this.isStopping) this.child = this.launch();
      }, 100);
    });
    return child;
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}
