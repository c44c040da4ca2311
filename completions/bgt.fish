# fish completion for bgt. Made by `bgt completion fish`: do not edit.

# The options of a verb that take the next word as their value.
function __bgt_valued
    switch "$argv[1]"
        case run
            string split ' ' -- '-n --name --tag -C --cwd -e --env --env-file -c --shell --stdin --timeout --cpu-limit --output-timeout --progress-timeout --idle-timeout --ready-timeout --on-hang --quiet-after --stalled-after --dump --progress-pattern --ready-log --ready-port --ready-http --ready-cmd --ready-file --retries --retry-on --restart --max-restarts --backoff --grace --stop-signals --kill-mode --leftover --owner --log-max --nice --memory-max --limit --max-wait --root'
        case submit
            string split ' ' -- '-q --queue --priority --slots --need --after --on-dep-failure --expire --key --on-busy --array --each --batch --if-full -n --name --tag -C --cwd -e --env --env-file -c --shell --stdin --timeout --cpu-limit --output-timeout --progress-timeout --idle-timeout --ready-timeout --on-hang --quiet-after --stalled-after --dump --progress-pattern --ready-log --ready-port --ready-http --ready-cmd --ready-file --retries --retry-on --restart --max-restarts --backoff --grace --stop-signals --kill-mode --leftover --owner --log-max --nice --memory-max --limit --root'
        case queue
            string split ' ' -- '--root'
        case hold
            string split ' ' -- '--name --tag --queue --root'
        case release
            string split ' ' -- '--name --tag --queue --root'
        case move
            string split ' ' -- '--name --tag --queue --before --priority --root'
        case scope
            string split ' ' -- '--grace --json --root'
        case shutdown
            string split ' ' -- '--name --tag --queue --timeout --root'
        case graph
            string split ' ' -- '--root'
        case ps
            string split ' ' -- '--name --tag --queue -s --state --interval --format --root'
        case show
            string split ' ' -- '--name --tag --queue --root'
        case logs
            string split ' ' -- '--name --tag --queue -n --tail --lines --since --grep --attempt --cursor --max-bytes --root'
        case wait
            string split ' ' -- '--name --tag --queue --for --timeout --attempt --root'
        case kill
            string split ' ' -- '--name --tag --queue --grace --stop-signals -s --signal --timeout --root'
        case why
            string split ' ' -- '--name --tag --queue --root'
        case restart
            string split ' ' -- '--name --tag --queue --root'
        case retry
            string split ' ' -- '--name --tag --queue --root'
        case signal
            string split ' ' -- '--name --tag --queue --root'
        case pause
            string split ' ' -- '--name --tag --queue --root'
        case resume
            string split ' ' -- '--name --tag --queue --root'
        case send
            string split ' ' -- '--timeout --root'
        case notify
            string split ' ' -- '--status --progress --step --total-steps --extend --watchdog --pid --root'
        case rm
            string split ' ' -- '--name --tag --queue --root'
        case gc
            string split ' ' -- '--keep --older --root'
        case config
            string split ' ' -- '--root'
        case trust
            string split ' ' -- '--root'
        case completion
            string split ' ' -- '--root'
        case version
            string split ' ' -- '--root'
    end
end

# Walks the words before the cursor: the verb, and the index and number of the words that are no options.
function __bgt_walk
    set -g __bgt_verb ''
    set -g __bgt_root
    set -g __bgt_words 0
    set -g __bgt_start 0
    set -l pending ''
    set -l dashes 0
    set -l tokens (commandline -opc)
    for i in (seq 2 (count $tokens))
        set -l token $tokens[$i]
        if test -n "$pending"
            test $pending = --root; and set -g __bgt_root --root $token
            set pending ''
        else if test $dashes = 0; and string match -q -- '--root=*' $token
            set -g __bgt_root $token
        else if test $dashes = 0; and contains -- $token --root (__bgt_valued $__bgt_verb)
            set pending $token
        else if test $dashes = 0; and test "$token" = --
            set dashes 1
        else if test $dashes = 0; and string match -qr -- '^-.' $token
            continue
        else if test -z "$__bgt_verb"
            set -g __bgt_verb $token
        else
            set -g __bgt_words (math $__bgt_words + 1)
            test $__bgt_start = 0; and set -g __bgt_start $i
            contains -- $__bgt_verb run submit scope; and return
        end
    end
end

# __bgt_in VERB [first|rest]: the cursor is at an option or a word of VERB (but not of a command).
function __bgt_in
    __bgt_walk
    test "$__bgt_verb" = $argv[1]; or return 1
    contains -- $argv[1] run submit scope; and test $__bgt_words -gt 0; and return 1
    switch "$argv[2]"
        case first
            test $__bgt_words = 0
        case rest
            test $__bgt_words -gt 0
        case '*'
            true
    end
end

function __bgt_no_verb
    __bgt_walk
    test -z "$__bgt_verb"
end

function __bgt_in_command
    __bgt_walk
    test "$__bgt_verb" = $argv[1]; and test $__bgt_words -gt 0
end

# The completions of the command of `run`, `submit` or `scope` itself.
function __bgt_command
    __bgt_walk
    set -l tokens (commandline -opc)
    complete -C (string join ' ' -- (string escape -- $tokens[$__bgt_start..-1]) (commandline -ct))
end

# Asks the bgt of the PATH, whatever stands first on the line. What it answers is not expanded, and
# fish quotes what it inserts.
function __bgt_known
    __bgt_walk
    command bgt $__bgt_root completion $argv[1] 2>/dev/null
end

complete -c bgt -f
complete -c bgt -n __bgt_no_verb -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks'
complete -c bgt -n __bgt_no_verb -l version -d 'print the version'
complete -c bgt -n __bgt_no_verb -s h -l help -d 'print help'
complete -c bgt -n __bgt_no_verb -a run -d 'start a command in the background and print its id'
complete -c bgt -n '__bgt_in run' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in run' -s n -l name -x -k -a '(__bgt_known name-list)' -d 'a name for the task, unique among running tasks'
complete -c bgt -n '__bgt_in run' -l if-absent -d 'if a task with this name, command and folder runs, start nothing and print its id'
complete -c bgt -n '__bgt_in run' -l replace -d 'if a task with this name and folder runs, end it first'
complete -c bgt -n '__bgt_in run' -l anywhere -d 'with --if-absent or --replace: accept the task with this name whatever its command and folder'
complete -c bgt -n '__bgt_in run' -l tag -x -d 'a tag to find the task by'
complete -c bgt -n '__bgt_in run' -s C -l cwd -x -a '(__fish_complete_directories)' -d 'the working folder of the task (default: the current one)'
complete -c bgt -n '__bgt_in run' -s e -l env -x -d 'set a variable of its environment; K alone passes on the current value'
complete -c bgt -n '__bgt_in run' -l env-file -r -F -d 'set the variables in FILE, one K=V per line'
complete -c bgt -n '__bgt_in run' -l clear-env -d 'start with an empty environment'
complete -c bgt -n '__bgt_in run' -s c -l shell -x -d 'run TEXT with /bin/sh -c; the words after the options are its $1, $2 and so on'
complete -c bgt -n '__bgt_in run' -l stdin -r -F -d 'its standard input: nothing (default), what bgt send writes, that of bgt run, or a file'
complete -c bgt -n '__bgt_in run' -l service -d 'it runs until it is stopped, and may be quiet'
complete -c bgt -n '__bgt_in run' -l job -d 'it must finish, whatever a rule or the built-in list says'
complete -c bgt -n '__bgt_in run' -l timeout -x -d 'end it after D, such as 30s, 10m or 1h30m (default off)'
complete -c bgt -n '__bgt_in run' -l cpu-limit -x -d 'end it once its processes have used D of CPU time in all (default off)'
complete -c bgt -n '__bgt_in run' -l output-timeout -x -d 'it hangs if it has printed nothing for D'
complete -c bgt -n '__bgt_in run' -l progress-timeout -x -d 'it hangs if for D it has printed no new text, was not busy and sent no heartbeat'
complete -c bgt -n '__bgt_in run' -l idle-timeout -x -d 'it hangs if it was not busy and sent no heartbeat for D'
complete -c bgt -n '__bgt_in run' -l ready-timeout -x -d 'it hangs if it is not ready D after its start'
complete -c bgt -n '__bgt_in run' -l on-hang -x -a 'kill restart report exec:' -d 'what to do when it hangs by one of these limits: end it (default), start it again, only report, or report and run CMD'
complete -c bgt -n '__bgt_in run' -l quiet-after -x -d 'report a job as quiet after D without output (default 60s; off: never)'
complete -c bgt -n '__bgt_in run' -l stalled-after -x -d 'report a job as stalled, and write a report, after D without progress (default 5m; off: never)'
complete -c bgt -n '__bgt_in run' -l dump -x -a 'none auto' -d 'whether a report asks runtimes for their stacks if that is harmless (default auto)'
complete -c bgt -n '__bgt_in run' -l progress-pattern -x -d 'how its output reports progress: one group is a percentage, two are done and total'
complete -c bgt -n '__bgt_in run' -l ready-log -x -d 'it is ready when a line of its output matches'
complete -c bgt -n '__bgt_in run' -l ready-port -x -a 'any' -d 'it is ready when it listens on port N, or on any'
complete -c bgt -n '__bgt_in run' -l ready-http -x -d 'it is ready when a GET is answered with 2xx or 3xx, or with STATUS'
complete -c bgt -n '__bgt_in run' -l ready-cmd -x -d 'it is ready when /bin/sh -c TEXT exits with 0'
complete -c bgt -n '__bgt_in run' -l ready-file -r -F -d 'it is ready when PATH exists'
complete -c bgt -n '__bgt_in run' -l ready-notify -d 'it is ready when it reports so (sd_notify, bgt notify --ready)'
complete -c bgt -n '__bgt_in run' -l wait-ready -d 'wait until it is ready: exit with 0, or with 121 if it ends before that, 120 if it hangs, 123 if its --timeout or --cpu-limit passes'
complete -c bgt -n '__bgt_in run' -l retries -x -d 'if it fails, start it again, up to N times'
complete -c bgt -n '__bgt_in run' -l retry-on -x -d 'retry only after these exit codes: 1,75,100-110'
complete -c bgt -n '__bgt_in run' -l restart -x -a 'no on-failure on-hang always' -d 'when to start it again after it has ended by itself (default no)'
complete -c bgt -n '__bgt_in run' -l max-restarts -x -d 'give up after N restarts within PERIOD (default 10/10m; off: no limit)'
complete -c bgt -n '__bgt_in run' -l backoff -x -d 'the pause before it is started again: A, doubled each time up to B (default 1s..1m)'
complete -c bgt -n '__bgt_in run' -l grace -x -d 'the time between the stop signal and SIGKILL (default 5s)'
complete -c bgt -n '__bgt_in run' -l stop-signals -x -d 'the stop signals, each with its time: QUIT:2s,TERM:5s; SIGKILL follows'
complete -c bgt -n '__bgt_in run' -l kill-mode -x -a 'tree mixed' -d 'who gets the stop signals: every process (default), or the main process alone, which ends the others; SIGKILL goes to all'
complete -c bgt -n '__bgt_in run' -l leftover -x -a 'kill wait keep' -d 'processes that outlive the command: kill them after 2 s (default), wait for them, or keep them'
complete -c bgt -n '__bgt_in run' -l owner -x -a '(__fish_complete_pids)' -d 'end the task when process PID ends; --owner $$ in a script'
complete -c bgt -n '__bgt_in run' -l log-max -x -d 'how much of its newest output is kept (default 256MiB; off: all of it)'
complete -c bgt -n '__bgt_in run' -l split -d 'keep stderr in a separate log'
complete -c bgt -n '__bgt_in run' -l nice -x -d 'its nice value, from -20 to 19 (man 2 setpriority)'
complete -c bgt -n '__bgt_in run' -l memory-max -x -d 'a limit on the address space of each of its processes (RLIMIT_AS)'
complete -c bgt -n '__bgt_in run' -l limit -x -a 'as= core= cpu= data= fsize= memlock= nofile= nproc= stack=' -d 'a resource limit of each of its processes: as, core, cpu, data, fsize, memlock, nofile, nproc, stack'
complete -c bgt -n '__bgt_in run' -l wait -d 'wait until it has ended, print its output, exit with its code; SIGINT, SIGTERM and SIGHUP stop it, a second one kills it; if stdout is closed, its output goes only to the log'
complete -c bgt -n '__bgt_in run' -l max-wait -x -d 'with --wait: after D leave it in the background, print its id on stderr, and exit with 124'
complete -c bgt -n '__bgt_in run' -l rm -d 'remove the task, with its log, once it has ended'
complete -c bgt -n '__bgt_in run' -l explain -d 'start nothing; print the kind and the limits that would apply, and where each comes from'
complete -c bgt -n '__bgt_in run' -l json -d 'print the task as JSON (with --wait: at its end, without its output)'
complete -c bgt -n '__bgt_in run' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n '__bgt_in run' -a '(__fish_complete_command)'
complete -c bgt -n '__bgt_in_command run' -a '(__bgt_command)'
complete -c bgt -n __bgt_no_verb -a submit -d 'let a command wait in a queue, and print its id'
complete -c bgt -n '__bgt_in submit' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in submit' -s q -l queue -x -d 'the queue to wait in (default)'
complete -c bgt -n '__bgt_in submit' -l priority -x -d 'higher ones start first (0)'
complete -c bgt -n '__bgt_in submit' -l slots -x -d 'slots of the queue that it takes (1)'
complete -c bgt -n '__bgt_in submit' -l need -x -d 'what it takes of a named resource: gpu=1, mem=8GiB'
complete -c bgt -n '__bgt_in submit' -l after -x -k -a '(__bgt_known task-list)' -d 'start after another task: ok (its exit code is 0), fail, any, start or ready'
complete -c bgt -n '__bgt_in submit' -l on-dep-failure -x -a 'skip hold' -d 'when it can\'t start any more because of --after (skip)'
complete -c bgt -n '__bgt_in submit' -l hold -d 'do not start it before bgt release'
complete -c bgt -n '__bgt_in submit' -l expire -x -d 'never start it if it has waited for longer'
complete -c bgt -n '__bgt_in submit' -l key -x -d 'run at most one task with this key at once'
complete -c bgt -n '__bgt_in submit' -l on-busy -x -a 'wait skip replace latest' -d 'when a task with the same --key waits or runs (wait)'
complete -c bgt -n '__bgt_in submit' -l array -x -d 'a task for each number, {} and $BGT_ARRAY_INDEX stand for it; N at once'
complete -c bgt -n '__bgt_in submit' -l each -r -F -d 'a task for each line of the file (- is stdin), {} stands for it'
complete -c bgt -n '__bgt_in submit' -s 0 -l null -d 'the parts of --each end with a NUL byte'
complete -c bgt -n '__bgt_in submit' -l batch -r -F -d 'a task for each line of JSON in the file (- is stdin)'
complete -c bgt -n '__bgt_in submit' -l if-full -x -a 'fail wait' -d 'when the queue has no room (fail)'
complete -c bgt -n '__bgt_in submit' -l dry-run -d 'submit nothing, and print what would be'
complete -c bgt -n '__bgt_in submit' -s n -l name -x -k -a '(__bgt_known name-list)' -d 'a name for the task, unique among running tasks'
complete -c bgt -n '__bgt_in submit' -l tag -x -d 'a tag to find the task by'
complete -c bgt -n '__bgt_in submit' -s C -l cwd -x -a '(__fish_complete_directories)' -d 'the working folder of the task (default: the current one)'
complete -c bgt -n '__bgt_in submit' -s e -l env -x -d 'set a variable of its environment; K alone passes on the current value'
complete -c bgt -n '__bgt_in submit' -l env-file -r -F -d 'set the variables in FILE, one K=V per line'
complete -c bgt -n '__bgt_in submit' -l clear-env -d 'start with an empty environment'
complete -c bgt -n '__bgt_in submit' -s c -l shell -x -d 'run TEXT with /bin/sh -c; the words after the options are its $1, $2 and so on'
complete -c bgt -n '__bgt_in submit' -l stdin -r -F -d 'its standard input: nothing (default), what bgt send writes, that of bgt run, or a file'
complete -c bgt -n '__bgt_in submit' -l service -d 'it runs until it is stopped, and may be quiet'
complete -c bgt -n '__bgt_in submit' -l job -d 'it must finish, whatever a rule or the built-in list says'
complete -c bgt -n '__bgt_in submit' -l timeout -x -d 'end it after D, such as 30s, 10m or 1h30m (default off)'
complete -c bgt -n '__bgt_in submit' -l cpu-limit -x -d 'end it once its processes have used D of CPU time in all (default off)'
complete -c bgt -n '__bgt_in submit' -l output-timeout -x -d 'it hangs if it has printed nothing for D'
complete -c bgt -n '__bgt_in submit' -l progress-timeout -x -d 'it hangs if for D it has printed no new text, was not busy and sent no heartbeat'
complete -c bgt -n '__bgt_in submit' -l idle-timeout -x -d 'it hangs if it was not busy and sent no heartbeat for D'
complete -c bgt -n '__bgt_in submit' -l ready-timeout -x -d 'it hangs if it is not ready D after its start'
complete -c bgt -n '__bgt_in submit' -l on-hang -x -a 'kill restart report exec:' -d 'what to do when it hangs by one of these limits: end it (default), start it again, only report, or report and run CMD'
complete -c bgt -n '__bgt_in submit' -l quiet-after -x -d 'report a job as quiet after D without output (default 60s; off: never)'
complete -c bgt -n '__bgt_in submit' -l stalled-after -x -d 'report a job as stalled, and write a report, after D without progress (default 5m; off: never)'
complete -c bgt -n '__bgt_in submit' -l dump -x -a 'none auto' -d 'whether a report asks runtimes for their stacks if that is harmless (default auto)'
complete -c bgt -n '__bgt_in submit' -l progress-pattern -x -d 'how its output reports progress: one group is a percentage, two are done and total'
complete -c bgt -n '__bgt_in submit' -l ready-log -x -d 'it is ready when a line of its output matches'
complete -c bgt -n '__bgt_in submit' -l ready-port -x -a 'any' -d 'it is ready when it listens on port N, or on any'
complete -c bgt -n '__bgt_in submit' -l ready-http -x -d 'it is ready when a GET is answered with 2xx or 3xx, or with STATUS'
complete -c bgt -n '__bgt_in submit' -l ready-cmd -x -d 'it is ready when /bin/sh -c TEXT exits with 0'
complete -c bgt -n '__bgt_in submit' -l ready-file -r -F -d 'it is ready when PATH exists'
complete -c bgt -n '__bgt_in submit' -l ready-notify -d 'it is ready when it reports so (sd_notify, bgt notify --ready)'
complete -c bgt -n '__bgt_in submit' -l retries -x -d 'if it fails, start it again, up to N times'
complete -c bgt -n '__bgt_in submit' -l retry-on -x -d 'retry only after these exit codes: 1,75,100-110'
complete -c bgt -n '__bgt_in submit' -l restart -x -a 'no on-failure on-hang always' -d 'when to start it again after it has ended by itself (default no)'
complete -c bgt -n '__bgt_in submit' -l max-restarts -x -d 'give up after N restarts within PERIOD (default 10/10m; off: no limit)'
complete -c bgt -n '__bgt_in submit' -l backoff -x -d 'the pause before it is started again: A, doubled each time up to B (default 1s..1m)'
complete -c bgt -n '__bgt_in submit' -l grace -x -d 'the time between the stop signal and SIGKILL (default 5s)'
complete -c bgt -n '__bgt_in submit' -l stop-signals -x -d 'the stop signals, each with its time: QUIT:2s,TERM:5s; SIGKILL follows'
complete -c bgt -n '__bgt_in submit' -l kill-mode -x -a 'tree mixed' -d 'who gets the stop signals: every process (default), or the main process alone, which ends the others; SIGKILL goes to all'
complete -c bgt -n '__bgt_in submit' -l leftover -x -a 'kill wait keep' -d 'processes that outlive the command: kill them after 2 s (default), wait for them, or keep them'
complete -c bgt -n '__bgt_in submit' -l owner -x -a '(__fish_complete_pids)' -d 'end the task when process PID ends; --owner $$ in a script'
complete -c bgt -n '__bgt_in submit' -l log-max -x -d 'how much of its newest output is kept (default 256MiB; off: all of it)'
complete -c bgt -n '__bgt_in submit' -l split -d 'keep stderr in a separate log'
complete -c bgt -n '__bgt_in submit' -l nice -x -d 'its nice value, from -20 to 19 (man 2 setpriority)'
complete -c bgt -n '__bgt_in submit' -l memory-max -x -d 'a limit on the address space of each of its processes (RLIMIT_AS)'
complete -c bgt -n '__bgt_in submit' -l limit -x -a 'as= core= cpu= data= fsize= memlock= nofile= nproc= stack=' -d 'a resource limit of each of its processes: as, core, cpu, data, fsize, memlock, nofile, nproc, stack'
complete -c bgt -n '__bgt_in submit' -l wait -d 'wait until it has ended, print its output, exit with its code; SIGINT, SIGTERM and SIGHUP stop it, a second one kills it; if stdout is closed, its output goes only to the log'
complete -c bgt -n '__bgt_in submit' -l rm -d 'remove the task, with its log, once it has ended'
complete -c bgt -n '__bgt_in submit' -l json -d 'print the task as JSON (with --wait: at its end, without its output)'
complete -c bgt -n '__bgt_in submit' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n '__bgt_in submit' -a '(__fish_complete_command)'
complete -c bgt -n '__bgt_in_command submit' -a '(__bgt_command)'
complete -c bgt -n __bgt_no_verb -a queue -d 'list the queues, and change them'
complete -c bgt -n '__bgt_in queue' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in queue' -l total -d 'set: what all queues of the root share: slots and named resources'
complete -c bgt -n '__bgt_in queue' -l json -d 'print the answer as JSON'
complete -c bgt -n '__bgt_in queue' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n __bgt_no_verb -a hold -d 'keep waiting tasks from being started'
complete -c bgt -n '__bgt_in hold' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in hold' -l all -d 'all tasks to which the verb applies'
complete -c bgt -n '__bgt_in hold' -l name -x -k -a '(__bgt_known name-list)' -d 'tasks with this name; * and ? are wildcards'
complete -c bgt -n '__bgt_in hold' -l tag -x -k -a '(__bgt_known tag-list)' -d 'tasks with this tag; several values of one key are alternatives'
complete -c bgt -n '__bgt_in hold' -l queue -x -d 'tasks of this queue, waiting or started from it'
complete -c bgt -n '__bgt_in hold' -l json -d 'print the tasks as JSON'
complete -c bgt -n '__bgt_in hold' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n '__bgt_in hold' -k -a '(__bgt_known living-list)'
complete -c bgt -n __bgt_no_verb -a release -d 'let held tasks be started'
complete -c bgt -n '__bgt_in release' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in release' -l all -d 'all tasks to which the verb applies'
complete -c bgt -n '__bgt_in release' -l name -x -k -a '(__bgt_known name-list)' -d 'tasks with this name; * and ? are wildcards'
complete -c bgt -n '__bgt_in release' -l tag -x -k -a '(__bgt_known tag-list)' -d 'tasks with this tag; several values of one key are alternatives'
complete -c bgt -n '__bgt_in release' -l queue -x -d 'tasks of this queue, waiting or started from it'
complete -c bgt -n '__bgt_in release' -l json -d 'print the tasks as JSON'
complete -c bgt -n '__bgt_in release' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n '__bgt_in release' -k -a '(__bgt_known living-list)'
complete -c bgt -n __bgt_no_verb -a move -d 'change the place of waiting tasks in their queue'
complete -c bgt -n '__bgt_in move' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in move' -l all -d 'all tasks to which the verb applies'
complete -c bgt -n '__bgt_in move' -l name -x -k -a '(__bgt_known name-list)' -d 'tasks with this name; * and ? are wildcards'
complete -c bgt -n '__bgt_in move' -l tag -x -k -a '(__bgt_known tag-list)' -d 'tasks with this tag; several values of one key are alternatives'
complete -c bgt -n '__bgt_in move' -l queue -x -d 'tasks of this queue, waiting or started from it'
complete -c bgt -n '__bgt_in move' -l first -d 'before all others of its priority'
complete -c bgt -n '__bgt_in move' -l last -d 'behind all others of its priority'
complete -c bgt -n '__bgt_in move' -l before -x -k -a '(__bgt_known task-list)' -d 'right before another waiting task, with its priority'
complete -c bgt -n '__bgt_in move' -l priority -x -d 'give it this priority'
complete -c bgt -n '__bgt_in move' -l json -d 'print the tasks as JSON'
complete -c bgt -n '__bgt_in move' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n '__bgt_in move' -k -a '(__bgt_known task-list)'
complete -c bgt -n __bgt_no_verb -a scope -d 'run a command, and end the tasks that it started when it ends'
complete -c bgt -n '__bgt_in scope' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in scope' -l grace -x -d 'the time between the stop signal and SIGKILL, for the tasks that are left'
complete -c bgt -n '__bgt_in scope' -l json -r -F -d 'write how many tasks were ended into this file as JSON, and not to stderr'
complete -c bgt -n '__bgt_in scope' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n '__bgt_in scope' -a '(__fish_complete_command)'
complete -c bgt -n '__bgt_in_command scope' -a '(__bgt_command)'
complete -c bgt -n __bgt_no_verb -a shutdown -d 'end all tasks, and start none meanwhile'
complete -c bgt -n '__bgt_in shutdown' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in shutdown' -l all -d 'all tasks to which the verb applies'
complete -c bgt -n '__bgt_in shutdown' -l name -x -k -a '(__bgt_known name-list)' -d 'tasks with this name; * and ? are wildcards'
complete -c bgt -n '__bgt_in shutdown' -l tag -x -k -a '(__bgt_known tag-list)' -d 'tasks with this tag; several values of one key are alternatives'
complete -c bgt -n '__bgt_in shutdown' -l queue -x -d 'tasks of this queue, waiting or started from it'
complete -c bgt -n '__bgt_in shutdown' -l timeout -x -d 'send SIGKILL to what is left after D (default: the setting shutdown_timeout)'
complete -c bgt -n '__bgt_in shutdown' -l json -d 'print how many tasks were ended as JSON'
complete -c bgt -n '__bgt_in shutdown' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n '__bgt_in shutdown' -k -a '(__bgt_known living-list)'
complete -c bgt -n __bgt_no_verb -a graph -d 'show which tasks wait for which others'
complete -c bgt -n '__bgt_in graph' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in graph' -l dot -d 'print the graph for dot(1) of graphviz'
complete -c bgt -n '__bgt_in graph' -l json -d 'print tasks and dependencies as JSON'
complete -c bgt -n '__bgt_in graph' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n '__bgt_in graph' -k -a '(__bgt_known living-list)'
complete -c bgt -n __bgt_no_verb -a ps -d 'list tasks'
complete -c bgt -n '__bgt_in ps' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in ps' -l all -d 'all tasks to which the verb applies'
complete -c bgt -n '__bgt_in ps' -l name -x -k -a '(__bgt_known name-list)' -d 'tasks with this name; * and ? are wildcards'
complete -c bgt -n '__bgt_in ps' -l tag -x -k -a '(__bgt_known tag-list)' -d 'tasks with this tag; several values of one key are alternatives'
complete -c bgt -n '__bgt_in ps' -l queue -x -d 'tasks of this queue, waiting or started from it'
complete -c bgt -n '__bgt_in ps' -s a -d 'list all ended tasks too, not only the newest ten'
complete -c bgt -n '__bgt_in ps' -s s -l state -x -a 'queued starting running paused stopping ended failed lost' -d 'only tasks in this state: queued, starting, running, paused, stopping, ended, failed, lost'
complete -c bgt -n '__bgt_in ps' -l here -d 'only tasks whose working folder is the current folder or one below it'
complete -c bgt -n '__bgt_in ps' -l leftover -d 'only ended tasks whose processes were kept alive'
complete -c bgt -n '__bgt_in ps' -s q -l quiet -d 'print only the ids'
complete -c bgt -n '__bgt_in ps' -s w -l watch -d 'redraw the table until q or Ctrl-C'
complete -c bgt -n '__bgt_in ps' -l interval -x -d 'time between two updates of --watch (1s)'
complete -c bgt -n '__bgt_in ps' -l json -d 'print JSON'
complete -c bgt -n '__bgt_in ps' -l format -x -d 'print one line per task with these {fields}: id name state lifecycle command age duration cpu mem mem_bytes processes ports exit outcome reason signal pid supervisor last progress cwd kind created started ended log log_bytes dropped_bytes folder problem tag:KEY'
complete -c bgt -n '__bgt_in ps' -l no-header -d 'leave out the column titles'
complete -c bgt -n '__bgt_in ps' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n '__bgt_in ps' -k -a '(__bgt_known task-list)'
complete -c bgt -n __bgt_no_verb -a show -d 'show everything that is known about tasks'
complete -c bgt -n '__bgt_in show' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in show' -l all -d 'all tasks to which the verb applies'
complete -c bgt -n '__bgt_in show' -l name -x -k -a '(__bgt_known name-list)' -d 'tasks with this name; * and ? are wildcards'
complete -c bgt -n '__bgt_in show' -l tag -x -k -a '(__bgt_known tag-list)' -d 'tasks with this tag; several values of one key are alternatives'
complete -c bgt -n '__bgt_in show' -l queue -x -d 'tasks of this queue, waiting or started from it'
complete -c bgt -n '__bgt_in show' -l json -d 'print JSON, with the earlier attempts and the last 100 events of each task'
complete -c bgt -n '__bgt_in show' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n '__bgt_in show' -k -a '(__bgt_known task-list)'
complete -c bgt -n __bgt_no_verb -a logs -d 'print the output of tasks'
complete -c bgt -n '__bgt_in logs' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in logs' -l all -d 'all tasks to which the verb applies'
complete -c bgt -n '__bgt_in logs' -l name -x -k -a '(__bgt_known name-list)' -d 'tasks with this name; * and ? are wildcards'
complete -c bgt -n '__bgt_in logs' -l tag -x -k -a '(__bgt_known tag-list)' -d 'tasks with this tag; several values of one key are alternatives'
complete -c bgt -n '__bgt_in logs' -l queue -x -d 'tasks of this queue, waiting or started from it'
complete -c bgt -n '__bgt_in logs' -s f -l follow -d 'keep printing new output until the tasks end'
complete -c bgt -n '__bgt_in logs' -s n -l tail -l lines -x -d 'only the last N lines (with --grep: the last N that match); also -N'
complete -c bgt -n '__bgt_in logs' -l since -x -d 'only lines written since then: 10m (ago), 14:00, 2026-11-28T14:00'
complete -c bgt -n '__bgt_in logs' -s t -l timestamps -d 'print the time at which each line was written'
complete -c bgt -n '__bgt_in logs' -l utc -d 'print times in UTC, not in the local time zone'
complete -c bgt -n '__bgt_in logs' -l grep -x -d 'only lines that match (RE2)'
complete -c bgt -n '__bgt_in logs' -l attempt -x -d 'only the output of attempt N, of the last one, or of all (default)'
complete -c bgt -n '__bgt_in logs' -l cursor -x -d 'begin at this byte: the cursor of an earlier answer'
complete -c bgt -n '__bgt_in logs' -l max-bytes -x -d 'read at most SIZE of each log (with --json: 1MiB by default)'
complete -c bgt -n '__bgt_in logs' -l stderr -d 'print the stderr of a task that was started with --split'
complete -c bgt -n '__bgt_in logs' -l raw -d 'print the bytes as they were written, even if stdout is not a terminal'
complete -c bgt -n '__bgt_in logs' -l json -d 'answer in JSON, with the cursor for the next call'
complete -c bgt -n '__bgt_in logs' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n '__bgt_in logs' -k -a '(__bgt_known task-list)'
complete -c bgt -n __bgt_no_verb -a wait -d 'wait until tasks end or a condition is met'
complete -c bgt -n '__bgt_in wait' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in wait' -l all -d 'all tasks to which the verb applies'
complete -c bgt -n '__bgt_in wait' -l name -x -k -a '(__bgt_known name-list)' -d 'tasks with this name; * and ? are wildcards'
complete -c bgt -n '__bgt_in wait' -l tag -x -k -a '(__bgt_known tag-list)' -d 'tasks with this tag; several values of one key are alternatives'
complete -c bgt -n '__bgt_in wait' -l queue -x -d 'tasks of this queue, waiting or started from it'
complete -c bgt -n '__bgt_in wait' -l for -x -a 'exit exit=0 ready log: log-fail: port port: tcp: http: unix: file: cmd: gone: progress= quiet: mem\\> cpu\\< stalled waiting-input' -d 'what to wait for; all must be met (default exit): exit, exit=0, ready, log:REGEX, log-fail:REGEX, port, port:N, tcp:HOST:N, http:URL[=STATUS], unix:PATH, file:PATH, cmd:COMMAND, gone:CONDITION, progress=N, quiet:D, mem>SIZE, cpu<PERCENT:D, stalled, waiting-input; exit code 121 when one can no longer be met'
complete -c bgt -n '__bgt_in wait' -l any -d 'one condition of one task is enough'
complete -c bgt -n '__bgt_in wait' -l or-stuck -d 'give up with exit code 121 when a task is stalled or waits for input'
complete -c bgt -n '__bgt_in wait' -l timeout -x -d 'give up after D with exit code 124; the tasks keep running'
complete -c bgt -n '__bgt_in wait' -l attempt -x -d 'the attempt whose output counts for log: and log-fail:; also last (default), all'
complete -c bgt -n '__bgt_in wait' -l json -d 'print the tasks at the end as JSON'
complete -c bgt -n '__bgt_in wait' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n '__bgt_in wait' -k -a '(__bgt_known task-list)'
complete -c bgt -n __bgt_no_verb -a kill -d 'end tasks and all their processes'
complete -c bgt -n '__bgt_in kill' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in kill' -l all -d 'all tasks to which the verb applies'
complete -c bgt -n '__bgt_in kill' -l name -x -k -a '(__bgt_known name-list)' -d 'tasks with this name; * and ? are wildcards'
complete -c bgt -n '__bgt_in kill' -l tag -x -k -a '(__bgt_known tag-list)' -d 'tasks with this tag; several values of one key are alternatives'
complete -c bgt -n '__bgt_in kill' -l queue -x -d 'tasks of this queue, waiting or started from it'
complete -c bgt -n '__bgt_in kill' -l now -d 'send SIGKILL at once, without a stop signal first'
complete -c bgt -n '__bgt_in kill' -l grace -x -d 'the time between the stop signal and SIGKILL, for this stop'
complete -c bgt -n '__bgt_in kill' -l stop-signals -x -d 'the signals of this stop: QUIT:2s,TERM:5s'
complete -c bgt -n '__bgt_in kill' -s s -l signal -x -a 'HUP INT QUIT USR1 USR2 TERM KILL CONT STOP WINCH' -d 'a signal as for kill(1), also as -9 or -INT: KILL means --now; TERM, INT, QUIT and ABRT replace the stop signals; others are only sent'
complete -c bgt -n '__bgt_in kill' -l timeout -x -d 'wait no longer than D (exit code 124); the stop continues'
complete -c bgt -n '__bgt_in kill' -l json -d 'print the tasks as JSON when the stop is complete'
complete -c bgt -n '__bgt_in kill' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n '__bgt_in kill' -k -a '(__bgt_known living-list)'
complete -c bgt -n __bgt_no_verb -a why -d 'explain what tasks are doing, and why one makes no progress'
complete -c bgt -n '__bgt_in why' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in why' -l all -d 'all tasks to which the verb applies'
complete -c bgt -n '__bgt_in why' -l name -x -k -a '(__bgt_known name-list)' -d 'tasks with this name; * and ? are wildcards'
complete -c bgt -n '__bgt_in why' -l tag -x -k -a '(__bgt_known tag-list)' -d 'tasks with this tag; several values of one key are alternatives'
complete -c bgt -n '__bgt_in why' -l queue -x -d 'tasks of this queue, waiting or started from it'
complete -c bgt -n '__bgt_in why' -l last -d 'print the newest report that exists, even for a running task; write no new one'
complete -c bgt -n '__bgt_in why' -l json -d 'print the reports and ends as JSON'
complete -c bgt -n '__bgt_in why' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n '__bgt_in why' -k -a '(__bgt_known task-list)'
complete -c bgt -n __bgt_no_verb -a restart -d 'end the command of tasks and start it again'
complete -c bgt -n '__bgt_in restart' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in restart' -l all -d 'all tasks to which the verb applies'
complete -c bgt -n '__bgt_in restart' -l name -x -k -a '(__bgt_known name-list)' -d 'tasks with this name; * and ? are wildcards'
complete -c bgt -n '__bgt_in restart' -l tag -x -k -a '(__bgt_known tag-list)' -d 'tasks with this tag; several values of one key are alternatives'
complete -c bgt -n '__bgt_in restart' -l queue -x -d 'tasks of this queue, waiting or started from it'
complete -c bgt -n '__bgt_in restart' -l now -d 'send SIGKILL at once, without a stop signal first'
complete -c bgt -n '__bgt_in restart' -l json -d 'print the tasks as JSON once they run again'
complete -c bgt -n '__bgt_in restart' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n '__bgt_in restart' -k -a '(__bgt_known living-list)'
complete -c bgt -n __bgt_no_verb -a retry -d 'start a new task like another one'
complete -c bgt -n '__bgt_in retry' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in retry' -l all -d 'all tasks to which the verb applies'
complete -c bgt -n '__bgt_in retry' -l name -x -k -a '(__bgt_known name-list)' -d 'tasks with this name; * and ? are wildcards'
complete -c bgt -n '__bgt_in retry' -l tag -x -k -a '(__bgt_known tag-list)' -d 'tasks with this tag; several values of one key are alternatives'
complete -c bgt -n '__bgt_in retry' -l queue -x -d 'tasks of this queue, waiting or started from it'
complete -c bgt -n '__bgt_in retry' -l failed -d 'all tasks that ran and failed and were not retried yet (or those of the selection)'
complete -c bgt -n '__bgt_in retry' -l dependents -d 'also the tasks that were skipped because of them'
complete -c bgt -n '__bgt_in retry' -l json -d 'print the new tasks as JSON'
complete -c bgt -n '__bgt_in retry' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n '__bgt_in retry' -k -a '(__bgt_known task-list)'
complete -c bgt -n __bgt_no_verb -a signal -d 'send a signal to tasks'
complete -c bgt -n '__bgt_in signal' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in signal' -l all -d 'all tasks to which the verb applies'
complete -c bgt -n '__bgt_in signal' -l name -x -k -a '(__bgt_known name-list)' -d 'tasks with this name; * and ? are wildcards'
complete -c bgt -n '__bgt_in signal' -l tag -x -k -a '(__bgt_known tag-list)' -d 'tasks with this tag; several values of one key are alternatives'
complete -c bgt -n '__bgt_in signal' -l queue -x -d 'tasks of this queue, waiting or started from it'
complete -c bgt -n '__bgt_in signal' -l tree -d 'send it to every process of the task, not only to the command'
complete -c bgt -n '__bgt_in signal' -l json -d 'print the tasks as JSON'
complete -c bgt -n '__bgt_in signal' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n '__bgt_in signal first' -a 'HUP INT QUIT USR1 USR2 TERM KILL CONT STOP WINCH'
complete -c bgt -n '__bgt_in signal rest' -k -a '(__bgt_known living-list)'
complete -c bgt -n __bgt_no_verb -a pause -d 'stop every process of tasks (SIGSTOP)'
complete -c bgt -n '__bgt_in pause' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in pause' -l all -d 'all tasks to which the verb applies'
complete -c bgt -n '__bgt_in pause' -l name -x -k -a '(__bgt_known name-list)' -d 'tasks with this name; * and ? are wildcards'
complete -c bgt -n '__bgt_in pause' -l tag -x -k -a '(__bgt_known tag-list)' -d 'tasks with this tag; several values of one key are alternatives'
complete -c bgt -n '__bgt_in pause' -l queue -x -d 'tasks of this queue, waiting or started from it'
complete -c bgt -n '__bgt_in pause' -l json -d 'print the tasks as JSON'
complete -c bgt -n '__bgt_in pause' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n '__bgt_in pause' -k -a '(__bgt_known living-list)'
complete -c bgt -n __bgt_no_verb -a resume -d 'continue paused tasks (SIGCONT)'
complete -c bgt -n '__bgt_in resume' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in resume' -l all -d 'all tasks to which the verb applies'
complete -c bgt -n '__bgt_in resume' -l name -x -k -a '(__bgt_known name-list)' -d 'tasks with this name; * and ? are wildcards'
complete -c bgt -n '__bgt_in resume' -l tag -x -k -a '(__bgt_known tag-list)' -d 'tasks with this tag; several values of one key are alternatives'
complete -c bgt -n '__bgt_in resume' -l queue -x -d 'tasks of this queue, waiting or started from it'
complete -c bgt -n '__bgt_in resume' -l json -d 'print the tasks as JSON'
complete -c bgt -n '__bgt_in resume' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n '__bgt_in resume' -k -a '(__bgt_known living-list)'
complete -c bgt -n __bgt_no_verb -a send -d 'write text to the stdin of a task'
complete -c bgt -n '__bgt_in send' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in send' -s n -l no-newline -d 'do not add a newline to the text'
complete -c bgt -n '__bgt_in send' -l eof -d 'close its stdin after the text; without TEXT, only close it'
complete -c bgt -n '__bgt_in send' -l timeout -x -d 'give up after D if it does not read (exit code 124)'
complete -c bgt -n '__bgt_in send' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n '__bgt_in send first' -k -a '(__bgt_known task-list)'
complete -c bgt -n __bgt_no_verb -a notify -d 'report from inside a task: ready, progress, heartbeat'
complete -c bgt -n '__bgt_in notify' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in notify' -l ready -d 'the task is ready (with bgt run --ready-notify)'
complete -c bgt -n '__bgt_in notify' -l stopping -d 'the task is about to end by itself'
complete -c bgt -n '__bgt_in notify' -l status -x -d 'what the task is doing now, for bgt show and JSON'
complete -c bgt -n '__bgt_in notify' -l progress -x -d 'the progress of the task: 0.4 or 40%'
complete -c bgt -n '__bgt_in notify' -l step -x -d 'the name of the current step'
complete -c bgt -n '__bgt_in notify' -l total-steps -x -d 'the number of steps'
complete -c bgt -n '__bgt_in notify' -l beat -d 'a heartbeat: resets --progress-timeout, --idle-timeout and the watchdog'
complete -c bgt -n '__bgt_in notify' -l extend -x -d 'the task needs D more to become ready or to end'
complete -c bgt -n '__bgt_in notify' -l watchdog -x -d 'from now on, the task hangs if it sends no --beat for D; off ends this'
complete -c bgt -n '__bgt_in notify' -l pid -x -a '(__fish_complete_pids)' -d 'the main process of the task'
complete -c bgt -n '__bgt_in notify' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n __bgt_no_verb -a rm -d 'remove ended tasks and their logs'
complete -c bgt -n '__bgt_in rm' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in rm' -l all -d 'all tasks to which the verb applies'
complete -c bgt -n '__bgt_in rm' -l name -x -k -a '(__bgt_known name-list)' -d 'tasks with this name; * and ? are wildcards'
complete -c bgt -n '__bgt_in rm' -l tag -x -k -a '(__bgt_known tag-list)' -d 'tasks with this tag; several values of one key are alternatives'
complete -c bgt -n '__bgt_in rm' -l queue -x -d 'tasks of this queue, waiting or started from it'
complete -c bgt -n '__bgt_in rm' -l force -d 'if a task runs, kill it (SIGKILL at once), then remove it'
complete -c bgt -n '__bgt_in rm' -s y -l yes -d 'do not ask (--all --force asks on a terminal)'
complete -c bgt -n '__bgt_in rm' -l json -d 'print the answer as JSON'
complete -c bgt -n '__bgt_in rm' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n '__bgt_in rm' -k -a '(__bgt_known task-list)'
complete -c bgt -n __bgt_no_verb -a gc -d 'remove old ended tasks'
complete -c bgt -n '__bgt_in gc' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in gc' -l keep -x -d 'keep the newest N ended tasks (default: the setting keep_ended)'
complete -c bgt -n '__bgt_in gc' -l older -x -d 'remove tasks that ended more than D ago (default: the setting keep_age)'
complete -c bgt -n '__bgt_in gc' -l dry-run -d 'remove nothing; print what would be removed'
complete -c bgt -n '__bgt_in gc' -l json -d 'print the answer as JSON'
complete -c bgt -n '__bgt_in gc' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n __bgt_no_verb -a config -d 'print the settings in force and where each comes from'
complete -c bgt -n '__bgt_in config' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in config' -l json -d 'print the answer as JSON'
complete -c bgt -n '__bgt_in config' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n '__bgt_in config' -a 'root grace stop_signals leftover timeout cpu_limit log_max shutdown_timeout keep_ended keep_age'
complete -c bgt -n __bgt_no_verb -a trust -d 'trust a bgt.toml, so that it may run and redirect things'
complete -c bgt -n '__bgt_in trust' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in trust' -l list -d 'list the trusted files, and whether they have changed'
complete -c bgt -n '__bgt_in trust' -l revoke -d 'no longer trust the file'
complete -c bgt -n '__bgt_in trust' -l json -d 'print the answer as JSON'
complete -c bgt -n '__bgt_in trust' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n '__bgt_in trust' -a '(__fish_complete_directories)'
complete -c bgt -n __bgt_no_verb -a completion -d 'print the completion script of a shell'
complete -c bgt -n '__bgt_in completion' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in completion' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n '__bgt_in completion' -a 'bash zsh fish'
complete -c bgt -n __bgt_no_verb -a version -d 'print the version and what it was built with'
complete -c bgt -n '__bgt_in version' -s h -l help -d 'print this help'
complete -c bgt -n '__bgt_in version' -l json -d 'print the answer as JSON'
complete -c bgt -n '__bgt_in version' -l root -x -a '(__fish_complete_directories)' -d 'the folder that holds all tasks (default: see bgt config root)'
complete -c bgt -n __bgt_no_verb -a help -d 'print what a verb does, and its options'
complete -c bgt -n '__bgt_in help first' -a 'run submit queue hold release move scope shutdown graph ps show logs wait kill why restart retry signal pause resume send notify rm gc config trust completion version'
