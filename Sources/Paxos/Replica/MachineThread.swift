#if canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A thread of its own for a task: what it runs may block, as a state machine that flushes a file
/// does, and need not queue behind a program's other tasks.
final class MachineThread: TaskExecutor, @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [UnownedJob] = []
    private var isEnding = false

    /// - Throws: ``Replica/Failure`` if the system has no thread.
    init() throws(Replica.Failure) {
        mutex.initialize(to: pthread_mutex_t())
        changed.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
        let error = LoopThread.start { self.run() }
        if error != 0 {
            throw Replica.Failure(description: "no thread: \(Words.system(error))", error: error)
        }
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pthread_mutex_lock(mutex)
        jobs.append(job)
        pthread_mutex_unlock(mutex)
        pthread_cond_signal(changed)
    }

    /// The thread ends when it has run what it was given.
    func end() {
        pthread_mutex_lock(mutex)
        isEnding = true
        pthread_mutex_unlock(mutex)
        pthread_cond_signal(changed)
    }

    private func run() {
        var taken: [UnownedJob] = []
        while true {
            pthread_mutex_lock(mutex)
            while jobs.isEmpty && !isEnding { pthread_cond_wait(changed, mutex) }
            swap(&taken, &jobs)
            pthread_mutex_unlock(mutex)
            if taken.isEmpty { return }
            for job in taken { job.runSynchronously(on: asUnownedTaskExecutor()) }
            taken.removeAll(keepingCapacity: true)
        }
    }
}
