# bash completion for bgt. Made by `bgt completion bash`: do not edit.

_bgt_verbs='run submit queue schedule hold release move scope shutdown graph up down ps show result logs events wait kill why restart retry signal pause resume send notify rm gc stats alerts mcp serve config trust completion version help'

# _bgt_verb VERB OPTION: sets options, first, rest (what its words are) and value (what OPTION's is).
_bgt_verb() {
    case $1 in
    run)
        options='-h --help -n --name --if-absent --replace --anywhere --tag -C --cwd -e --env --env-file --clear-env -c --shell --stdin --service --job --timeout --cpu-limit --output-timeout --progress-timeout --idle-timeout --ready-timeout --on-hang --quiet-after --stalled-after --dump --progress-pattern --ready-log --ready-port --ready-http --ready-cmd --ready-file --ready-notify --wait-ready --watch --watch-ignore --debounce --on-change --retries --retry-on --restart --max-restarts --backoff --grace --stop-signals --kill-mode --leftover --on-end --on-fail --notify --owner --independent --log-max --split --nice --memory-max --limit --wait --max-wait --rm --explain --json --fields --brief --root --config'
        first=@command
        rest=@command
        case $2 in
        -n | --name) value=@name-list ;;
        --tag) value=@none ;;
        -C | --cwd) value=@directory ;;
        -e | --env) value=@none ;;
        --env-file) value=@file ;;
        -c | --shell) value=@command ;;
        --stdin) value=@file ;;
        --timeout) value=@none ;;
        --cpu-limit) value=@none ;;
        --output-timeout) value=@none ;;
        --progress-timeout) value=@none ;;
        --idle-timeout) value=@none ;;
        --ready-timeout) value=@none ;;
        --on-hang) value='kill restart report exec:' ;;
        --quiet-after) value=@none ;;
        --stalled-after) value=@none ;;
        --dump) value='none auto' ;;
        --progress-pattern) value=@none ;;
        --ready-log) value=@none ;;
        --ready-port) value=any ;;
        --ready-http) value=@none ;;
        --ready-cmd) value=@command ;;
        --ready-file) value=@file ;;
        --watch) value=@file ;;
        --watch-ignore) value=@none ;;
        --debounce) value=@none ;;
        --on-change) value='restart queue signal: ignore-while-busy' ;;
        --retries) value=@none ;;
        --retry-on) value=@none ;;
        --restart) value='no on-failure on-hang always' ;;
        --max-restarts) value=@none ;;
        --backoff) value=@none ;;
        --grace) value=@none ;;
        --stop-signals) value=@none ;;
        --kill-mode) value='tree mixed' ;;
        --leftover) value='kill wait keep' ;;
        --on-end) value=@command ;;
        --on-fail) value=@command ;;
        --notify) value='off desktop bell' ;;
        --owner) value=@none ;;
        --log-max) value=@none ;;
        --nice) value=@none ;;
        --memory-max) value=@none ;;
        --limit) value='as= core= cpu= data= fsize= memlock= nofile= nproc= stack=' ;;
        --max-wait) value=@none ;;
        --fields) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    submit)
        options='-h --help -q --queue --priority --slots --need --after --on-dep-failure --hold --expire --in --at --tz --key --on-busy --array --each -0 --null --batch --if-full --dry-run -n --name --tag -C --cwd -e --env --env-file --clear-env -c --shell --stdin --service --job --timeout --cpu-limit --output-timeout --progress-timeout --idle-timeout --ready-timeout --on-hang --quiet-after --stalled-after --dump --progress-pattern --ready-log --ready-port --ready-http --ready-cmd --ready-file --ready-notify --retries --retry-on --restart --max-restarts --backoff --grace --stop-signals --kill-mode --leftover --on-end --on-fail --notify --owner --log-max --split --nice --memory-max --limit --wait --rm --json --fields --brief --root --config'
        first=@command
        rest=@command
        case $2 in
        -q | --queue) value=@none ;;
        --priority) value=@none ;;
        --slots) value=@none ;;
        --need) value=@none ;;
        --after) value=@task-list ;;
        --on-dep-failure) value='skip hold' ;;
        --expire) value=@none ;;
        --in) value=@none ;;
        --at) value=@none ;;
        --tz) value=@none ;;
        --key) value=@none ;;
        --on-busy) value='wait skip replace latest' ;;
        --array) value=@none ;;
        --each) value=@file ;;
        --batch) value=@file ;;
        --if-full) value='fail wait' ;;
        -n | --name) value=@name-list ;;
        --tag) value=@none ;;
        -C | --cwd) value=@directory ;;
        -e | --env) value=@none ;;
        --env-file) value=@file ;;
        -c | --shell) value=@command ;;
        --stdin) value=@file ;;
        --timeout) value=@none ;;
        --cpu-limit) value=@none ;;
        --output-timeout) value=@none ;;
        --progress-timeout) value=@none ;;
        --idle-timeout) value=@none ;;
        --ready-timeout) value=@none ;;
        --on-hang) value='kill restart report exec:' ;;
        --quiet-after) value=@none ;;
        --stalled-after) value=@none ;;
        --dump) value='none auto' ;;
        --progress-pattern) value=@none ;;
        --ready-log) value=@none ;;
        --ready-port) value=any ;;
        --ready-http) value=@none ;;
        --ready-cmd) value=@command ;;
        --ready-file) value=@file ;;
        --retries) value=@none ;;
        --retry-on) value=@none ;;
        --restart) value='no on-failure on-hang always' ;;
        --max-restarts) value=@none ;;
        --backoff) value=@none ;;
        --grace) value=@none ;;
        --stop-signals) value=@none ;;
        --kill-mode) value='tree mixed' ;;
        --leftover) value='kill wait keep' ;;
        --on-end) value=@command ;;
        --on-fail) value=@command ;;
        --notify) value='off desktop bell' ;;
        --owner) value=@none ;;
        --log-max) value=@none ;;
        --nice) value=@none ;;
        --memory-max) value=@none ;;
        --limit) value='as= core= cpu= data= fsize= memlock= nofile= nproc= stack=' ;;
        --fields) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    queue)
        options='-h --help --total --json --root --config'
        first=@none
        rest=@none
        case $2 in
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    schedule)
        options='-h --help --every --cron --calendar --missed --missed-within --overlap --jitter --until --times --tz -n --count --from --json -q --queue --priority --slots --need --hold --expire --key --tag -C --cwd -e --env --env-file --clear-env -c --shell --stdin --service --job --timeout --cpu-limit --output-timeout --progress-timeout --idle-timeout --ready-timeout --on-hang --quiet-after --stalled-after --dump --progress-pattern --ready-log --ready-port --ready-http --ready-cmd --ready-file --ready-notify --retries --retry-on --restart --max-restarts --backoff --grace --stop-signals --kill-mode --leftover --on-end --on-fail --notify --log-max --split --nice --memory-max --limit --rm --root --config'
        first=@none
        rest=@none
        case $2 in
        --every) value=@none ;;
        --cron) value=@none ;;
        --calendar) value=@none ;;
        --missed) value='once skip all:' ;;
        --missed-within) value=@none ;;
        --overlap) value='skip queue replace allow' ;;
        --jitter) value=@none ;;
        --until) value=@none ;;
        --times) value=@none ;;
        --tz) value=@none ;;
        -n | --count) value=@none ;;
        --from) value=@none ;;
        -q | --queue) value=@none ;;
        --priority) value=@none ;;
        --slots) value=@none ;;
        --need) value=@none ;;
        --expire) value=@none ;;
        --key) value=@none ;;
        --tag) value=@none ;;
        -C | --cwd) value=@directory ;;
        -e | --env) value=@none ;;
        --env-file) value=@file ;;
        -c | --shell) value=@command ;;
        --stdin) value=@file ;;
        --timeout) value=@none ;;
        --cpu-limit) value=@none ;;
        --output-timeout) value=@none ;;
        --progress-timeout) value=@none ;;
        --idle-timeout) value=@none ;;
        --ready-timeout) value=@none ;;
        --on-hang) value='kill restart report exec:' ;;
        --quiet-after) value=@none ;;
        --stalled-after) value=@none ;;
        --dump) value='none auto' ;;
        --progress-pattern) value=@none ;;
        --ready-log) value=@none ;;
        --ready-port) value=any ;;
        --ready-http) value=@none ;;
        --ready-cmd) value=@command ;;
        --ready-file) value=@file ;;
        --retries) value=@none ;;
        --retry-on) value=@none ;;
        --restart) value='no on-failure on-hang always' ;;
        --max-restarts) value=@none ;;
        --backoff) value=@none ;;
        --grace) value=@none ;;
        --stop-signals) value=@none ;;
        --kill-mode) value='tree mixed' ;;
        --leftover) value='kill wait keep' ;;
        --on-end) value=@command ;;
        --on-fail) value=@command ;;
        --notify) value='off desktop bell' ;;
        --log-max) value=@none ;;
        --nice) value=@none ;;
        --memory-max) value=@none ;;
        --limit) value='as= core= cpu= data= fsize= memlock= nofile= nproc= stack=' ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    hold)
        options='-h --help --all --name --tag --queue --json --fields --brief --root --config'
        first=@living-list
        rest=@living-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --queue) value=@none ;;
        --fields) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    release)
        options='-h --help --all --name --tag --queue --json --fields --brief --root --config'
        first=@living-list
        rest=@living-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --queue) value=@none ;;
        --fields) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    move)
        options='-h --help --all --name --tag --queue --first --last --before --priority --json --fields --brief --root --config'
        first=@task-list
        rest=@task-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --queue) value=@none ;;
        --before) value=@task-list ;;
        --priority) value=@none ;;
        --fields) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    scope)
        options='-h --help --grace --json --root --config'
        first=@command
        rest=@command
        case $2 in
        --grace) value=@none ;;
        --json) value=@file ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    shutdown)
        options='-h --help --all --name --tag --queue --timeout --json --root --config'
        first=@living-list
        rest=@living-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --queue) value=@none ;;
        --timeout) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    graph)
        options='-h --help --dot --json --root --config'
        first=@living-list
        rest=@living-list
        case $2 in
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    up)
        options='-h --help --recreate --wait --timeout --json --root --config'
        first=@none
        rest=@none
        case $2 in
        --timeout) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    down)
        options='-h --help --now --timeout --json --fields --brief --root --config'
        first=@none
        rest=@none
        case $2 in
        --timeout) value=@none ;;
        --fields) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    ps)
        options='-h --help --all --name --tag --queue -a -s --state --here --leftover -q --quiet -w --watch --interval --json --fields --brief --format --no-header --root --config'
        first=@task-list
        rest=@task-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --queue) value=@none ;;
        -s | --state) value='queued starting running paused stopping backing-off ended failed lost' ;;
        --interval) value=@none ;;
        --fields) value=@none ;;
        --format) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    show)
        options='-h --help --all --name --tag --queue --json --fields --brief --root --config'
        first=@task-list
        rest=@task-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --queue) value=@none ;;
        --fields) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    result)
        options='-h --help --all --name --tag --queue --json --root --config'
        first=@task-list
        rest=@task-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --queue) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    logs)
        options='-h --help --all --name --tag --queue -f --follow -n --tail --lines --since -t --timestamps --utc --grep --attempt --cursor --before --wait --max-bytes --stderr --raw --json --root --config'
        first=@task-list
        rest=@task-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --queue) value=@none ;;
        -n | --tail | --lines) value=@none ;;
        --since) value=@none ;;
        --grep) value=@none ;;
        --attempt) value=@none ;;
        --cursor) value=@none ;;
        --before) value=@none ;;
        --wait) value=@none ;;
        --max-bytes) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    events)
        options='-h --help --all --name --tag --queue -f --follow --since --type --level --utc --json --root --config'
        first=@task-list
        rest=@task-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --queue) value=@none ;;
        --since) value=@none ;;
        --type) value=@none ;;
        --level) value='error warning info debug' ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    wait)
        options='-h --help --all --name --tag --queue --for --any --or-stuck --timeout --attempt --json --fields --brief --root --config'
        first=@task-list
        rest=@task-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --queue) value=@none ;;
        --for) value='exit exit=0 ready log: log-fail: port port: tcp: http: https: unix: file: cmd: gone: progress= quiet: mem> cpu< stalled waiting-input' ;;
        --timeout) value=@none ;;
        --attempt) value=@none ;;
        --fields) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    kill)
        options='-h --help --all --name --tag --queue --now --grace --stop-signals -s --signal --timeout --json --fields --brief --root --config'
        first=@living-list
        rest=@living-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --queue) value=@none ;;
        --grace) value=@none ;;
        --stop-signals) value=@none ;;
        -s | --signal) value='HUP INT QUIT USR1 USR2 TERM KILL CONT STOP WINCH' ;;
        --timeout) value=@none ;;
        --fields) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    why)
        options='-h --help --all --name --tag --queue --last --json --full --root --config'
        first=@task-list
        rest=@task-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --queue) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    restart)
        options='-h --help --all --name --tag --queue --now --json --fields --brief --root --config'
        first=@living-list
        rest=@living-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --queue) value=@none ;;
        --fields) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    retry)
        options='-h --help --all --name --tag --queue --failed --dependents --json --fields --brief --root --config'
        first=@task-list
        rest=@task-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --queue) value=@none ;;
        --fields) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    signal)
        options='-h --help --all --name --tag --queue --tree --json --fields --brief --root --config'
        first='HUP INT QUIT USR1 USR2 TERM KILL CONT STOP WINCH'
        rest=@living-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --queue) value=@none ;;
        --fields) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    pause)
        options='-h --help --all --name --tag --queue --watch --json --fields --brief --root --config'
        first=@living-list
        rest=@living-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --queue) value=@none ;;
        --fields) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    resume)
        options='-h --help --all --name --tag --queue --json --fields --brief --root --config'
        first=@living-list
        rest=@living-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --queue) value=@none ;;
        --fields) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    send)
        options='-h --help -n --no-newline --eof --timeout --json --root --config'
        first=@task-list
        rest=@none
        case $2 in
        --timeout) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    notify)
        options='-h --help --ready --stopping --status --progress --step --total-steps --beat --extend --watchdog --pid --log --data --summary --artifact --metric --json --root --config'
        first=@none
        rest=@none
        case $2 in
        --status) value=@none ;;
        --progress) value=@none ;;
        --step) value=@none ;;
        --total-steps) value=@none ;;
        --extend) value=@none ;;
        --watchdog) value=@none ;;
        --pid) value=@none ;;
        --log) value='debug info warning error' ;;
        --data) value=@none ;;
        --summary) value=@none ;;
        --artifact) value=@file ;;
        --metric) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    rm)
        options='-h --help --all --name --tag --queue --force -y --yes --json --root --config'
        first=@task-list
        rest=@task-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --queue) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    gc)
        options='-h --help --keep --older --history --dry-run --json --root --config'
        case $2 in
        --keep) value=@none ;;
        --older) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    stats)
        options='-h --help --by --since --trend --openmetrics --json --root --config'
        first=@name-list
        rest=@name-list
        case $2 in
        --by) value='name queue tag:' ;;
        --since) value=@none ;;
        --trend) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    alerts)
        options='-h --help --test --json --root --config'
        case $2 in
        --test) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    mcp)
        options='-h --help --print-config --root --config'
        case $2 in
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    serve)
        options='-h --help --listen --read-only --open --openapi --root --config'
        case $2 in
        --listen) value=@none ;;
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    config)
        options='-h --help --json --root --config'
        first='root grace stop_signals leftover timeout cpu_limit log_max log_level shutdown_timeout on_end on_fail notify notify_after keep_ended keep_age history_max'
        rest='root grace stop_signals leftover timeout cpu_limit log_max log_level shutdown_timeout on_end on_fail notify notify_after keep_ended keep_age history_max'
        case $2 in
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    trust)
        options='-h --help --list --revoke --json --root --config'
        first=@directory
        rest=@directory
        case $2 in
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    completion)
        options='-h --help --root --config'
        first='bash zsh fish'
        rest='bash zsh fish'
        case $2 in
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    version)
        options='-h --help --json --root --config'
        case $2 in
        --root) value=@directory ;;
        --config) value=@file ;;
        esac
        ;;
    help)
        options=''
        first='run submit queue schedule hold release move scope shutdown graph up down ps show result logs events wait kill why restart retry signal pause resume send notify rm gc stats alerts mcp serve config trust completion version'
        rest=@none
        ;;
    esac
}

# _bgt_split LINE: the words of a command line as the shell would read them, with nothing in them
# expanded. Sets words (the last is the one at the cursor), and of that one: quote (the quotation
# mark that is open), kept (the part that readline leaves alone: it replaces what follows an open
# quotation mark or the last break character), and odd (not empty where the shell would expand
# something: no name or tag is offered then).
_bgt_split() {
    local line=$1 i c next word= begun= broken= opened=
    words=() quote= kept= odd=
    for ((i = 0; i < ${#line}; i++)); do
        c=${line:i:1} next=${line:i+1:1}
        if [[ $quote ]]; then
            if [[ $c == "$quote" ]]; then
                quote=
            elif [[ $quote == '"' && $c == '\' && $next == [\\\"\$\`] ]]; then
                word+=$next
                i=$((i + 1))
            else
                [[ $quote == '"' && $c == [\$\`] ]] && odd=1
                word+=$c
            fi
        elif [[ $c == [[:space:]] ]]; then
            [[ $begun ]] && words+=("$word")
            word= begun= broken= odd=
        else
            begun=1
            case $c in
            "'" | '"')
                [[ $word == *'$' ]] && odd=1
                quote=$c opened=$word
                ;;
            '\')
                word+=$next
                i=$((i + 1))
                ;;
            *)
                [[ $c == [\$\`] ]] && odd=1
                word+=$c
                [[ $COMP_WORDBREAKS == *"$c"* ]] && broken=$word
                ;;
            esac
        fi
    done
    words+=("$word")
    kept=$broken
    [[ $quote ]] && kept=$opened
}

# _bgt_quoted TEXT: as text of the command line, after the quotation mark that is open, into quoted.
_bgt_quoted() {
    local i c
    quoted=$1
    [[ $1 ]] || return 0
    case $quote in
    '')
        printf -v quoted %q "$1"
        return 0
        ;;
    '"') [[ $1 == *'!'* ]] && return 1 ;; # of the history, and it cannot be quoted here
    esac
    quoted=
    for ((i = 0; i < ${#1}; i++)); do
        c=${1:i:1}
        if [[ $quote$c == "''" ]]; then
            c="'\\''"
        elif [[ $quote == '"' && $c == [\\\"\$\`] ]]; then
            c="\\$c"
        fi
        quoted+=$c
    done
    # Bash adds no mark where the last character is one: the quotation ends before it.
    if [[ $quoted == *"$quote" ]]; then
        quoted=${quoted%"$quote"}
        [[ $quote == '"' ]] && quoted=${quoted%'\'}'"\"'
    fi
    # Where the first character is one, bash takes the open mark away.
    [[ $quoted == "$quote"* ]] && quoted=$quote$quoted
    return 0
}

# _bgt_offer BEFORE [filenames]: those of found that begin with what is typed after BEFORE, into COMPREPLY.
_bgt_offer() {
    local candidate quoted
    for candidate in "${found[@]}"; do
        candidate=$1$candidate
        [[ ${candidate:0:${#cur}} == "$cur" ]] || continue
        candidate=${candidate:${#kept}}
        if [[ $2 ]]; then
            COMPREPLY+=("$candidate") # bash quotes names of files itself
        elif _bgt_quoted "$candidate"; then
            COMPREPLY+=("$quoted")
        fi
    done
}

# _bgt_reply KIND [BEFORE]: the candidates for the word at the cursor, which begins with BEFORE.
_bgt_reply() {
    local line known before=$2 filenames=
    local -a found=()
    case $1 in
    @task-list | @living-list | @name-list | @tag-list)
        [[ $odd ]] && return
        # That of the PATH: what stands first on the line may be a program of this folder.
        known=$(command bgt ${root:+"--root=$root"} completion "${1#@}" 2>/dev/null)
        ;;
    @file | @directory | @command)
        [[ $odd && $cur == *[\(\`]* ]] && return
        known=$(compgen "-${1:1:1}" -- "${cur:${#before}}")
        [[ $1 == @command ]] || { filenames=1; compopt -o filenames 2>/dev/null; }
        ;;
    @none | '') return ;;
    *) known=${1// /$'\n'} ;;
    esac
    while IFS= read -r line; do
        # A name with a newline comes as two lines, which are no files.
        [[ $filenames && $line != '~'* && ! -e $line && ! -L $line ]] && continue
        [[ $line ]] && found+=("${line%%$'\t'*}")
    done <<<"$known"
    _bgt_offer "$before" "$filenames"
    [[ $1 == @* ]] && return
    for line in "${COMPREPLY[@]}"; do [[ $line == *[=:] ]] && compopt -o nospace 2>/dev/null; done
}

_bgt() {
    local verb= options= first= rest= value= root= pending= dashes= count=0 start=0 i quote kept odd word
    local -a words
    COMPREPLY=()
    _bgt_split "${COMP_LINE:0:COMP_POINT}"
    local last=$((${#words[@]} - 1))
    local cur=${words[last]}
    for ((i = 1; i < last; i++)); do
        word=${words[i]}
        if [[ $pending ]]; then
            [[ $pending == --root ]] && root=$word
            [[ $root == '~/'* ]] && root=$HOME/${root:2}
            pending=
        elif [[ ! $verb ]]; then
            case $word in
            --root | --config) pending=$word ;;
            --root=*) root=${word#--root=} ;;
            -*) ;;
            *) verb=$word ;;
            esac
        elif [[ ! $dashes && $word == -- ]]; then
            dashes=1
        elif [[ ! $dashes && $word == --root=* ]]; then
            root=${word#--root=}
        elif [[ ! $dashes && $word == -?* && $word != --*=* ]]; then
            value=
            _bgt_verb "$verb" "$word"
            [[ $value ]] && pending=$word
        elif [[ $dashes || $word != -?* ]]; then
            [[ $count -eq 0 ]] && start=$i
            count=$((count + 1))
            [[ $verb == @(run|submit|scope) ]] && break
        fi
    done
    value=
    if [[ ! $verb && $pending == --config ]]; then
        _bgt_reply @file
    elif [[ ! $verb && $pending ]]; then
        _bgt_reply @directory
    elif [[ ! $verb ]]; then
        [[ $cur == -* ]] && _bgt_reply '--root --config --version --help' || _bgt_reply "$_bgt_verbs"
    elif [[ $verb == @(run|submit|scope) && $count -gt 0 ]]; then
        # The command's own completion, where the package bash-completion is loaded.
        if declare -F _command_offset >/dev/null && [[ ${#words[@]} -eq $((COMP_CWORD + 1)) ]]; then
            _command_offset "$start"
        else
            _bgt_reply @file
        fi
    elif [[ $pending ]]; then
        _bgt_verb "$verb" "$pending"
        _bgt_reply "$value"
    elif [[ ! $dashes && $cur == --*=* ]]; then
        _bgt_verb "$verb" "${cur%%=*}"
        _bgt_reply "$value" "${cur%%=*}="
    else
        _bgt_verb "$verb" ''
        if [[ ! $dashes && $cur == -* ]]; then
            _bgt_reply "$options"
        elif [[ $count -eq 0 ]]; then
            _bgt_reply "$first"
        else
            _bgt_reply "$rest"
        fi
    fi
}
complete -F _bgt bgt
