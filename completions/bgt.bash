# bash completion for bgt. Made by `bgt completion bash`: do not edit.

_bgt_verbs='run ps show logs wait kill why restart retry signal pause resume send notify rm gc config completion version help'

# _bgt_verb VERB OPTION: sets options, first, rest (what its words are) and value (what OPTION's is).
_bgt_verb() {
    case $1 in
    run)
        options='-h --help --name --if-absent --replace --tag --cwd --env --env-file --clear-env -c --shell --stdin --service --job --timeout --output-timeout --progress-timeout --idle-timeout --ready-timeout --on-hang --quiet-after --stalled-after --dump --progress-pattern --ready-log --ready-port --ready-http --ready-cmd --ready-file --ready-notify --wait-ready --retries --retry-on --restart --max-restarts --backoff --grace --stop-signals --leftover --owner --log-max --split --nice --memory-max --limit --wait --rm --explain --json --root'
        first=@command
        rest=@command
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@none ;;
        --cwd) value=@folder ;;
        --env) value=@none ;;
        --env-file) value=@file ;;
        -c | --shell) value=@command ;;
        --stdin) value=@file ;;
        --timeout) value=@none ;;
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
        --leftover) value='kill wait keep' ;;
        --owner) value=@none ;;
        --log-max) value=@none ;;
        --nice) value=@none ;;
        --memory-max) value=@none ;;
        --limit) value='as= core= cpu= data= fsize= memlock= nofile= nproc= stack=' ;;
        --root) value=@folder ;;
        esac
        ;;
    ps)
        options='-h --help --all --name --tag -a -s --state --leftover -q --quiet -w --watch --interval --json --format --no-header --root'
        first=@task-list
        rest=@task-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        -s | --state) value='starting running paused stopping ended failed lost' ;;
        --interval) value=@none ;;
        --format) value=@none ;;
        --root) value=@folder ;;
        esac
        ;;
    show)
        options='-h --help --all --name --tag --json --root'
        first=@task-list
        rest=@task-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --root) value=@folder ;;
        esac
        ;;
    logs)
        options='-h --help --all --name --tag -f --follow -n --lines --since --timestamps --grep --cursor --max-bytes --stderr --raw --json --root'
        first=@task-list
        rest=@task-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        -n | --lines) value=@none ;;
        --since) value=@none ;;
        --grep) value=@none ;;
        --cursor) value=@none ;;
        --max-bytes) value=@none ;;
        --root) value=@folder ;;
        esac
        ;;
    wait)
        options='-h --help --all --name --tag --for --any --or-stuck --timeout --json --root'
        first=@task-list
        rest=@task-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --for) value='exit exit=0 ready log: log-fail: port port: tcp: http: unix: file: cmd: gone: progress= quiet: stalled waiting-input' ;;
        --timeout) value=@none ;;
        --root) value=@folder ;;
        esac
        ;;
    kill)
        options='-h --help --all --name --tag --now --grace --stop-signals --timeout --json --root'
        first=@task-list
        rest=@task-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --grace) value=@none ;;
        --stop-signals) value=@none ;;
        --timeout) value=@none ;;
        --root) value=@folder ;;
        esac
        ;;
    why)
        options='-h --help --all --name --tag --last --json --root'
        first=@task-list
        rest=@task-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --root) value=@folder ;;
        esac
        ;;
    restart)
        options='-h --help --all --name --tag --now --json --root'
        first=@task-list
        rest=@task-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --root) value=@folder ;;
        esac
        ;;
    retry)
        options='-h --help --all --name --tag --json --root'
        first=@task-list
        rest=@task-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --root) value=@folder ;;
        esac
        ;;
    signal)
        options='-h --help --all --name --tag --tree --json --root'
        first='HUP INT QUIT USR1 USR2 TERM KILL CONT STOP WINCH'
        rest=@task-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --root) value=@folder ;;
        esac
        ;;
    pause)
        options='-h --help --all --name --tag --json --root'
        first=@task-list
        rest=@task-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --root) value=@folder ;;
        esac
        ;;
    resume)
        options='-h --help --all --name --tag --json --root'
        first=@task-list
        rest=@task-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --root) value=@folder ;;
        esac
        ;;
    send)
        options='-h --help -n --no-newline --eof --timeout --root'
        first=@task-list
        rest=@none
        case $2 in
        --timeout) value=@none ;;
        --root) value=@folder ;;
        esac
        ;;
    notify)
        options='-h --help --ready --stopping --status --progress --step --total-steps --beat --extend --watchdog --pid --root'
        case $2 in
        --status) value=@none ;;
        --progress) value=@none ;;
        --step) value=@none ;;
        --total-steps) value=@none ;;
        --extend) value=@none ;;
        --watchdog) value=@none ;;
        --pid) value=@none ;;
        --root) value=@folder ;;
        esac
        ;;
    rm)
        options='-h --help --all --name --tag --force --json --root'
        first=@task-list
        rest=@task-list
        case $2 in
        --name) value=@name-list ;;
        --tag) value=@tag-list ;;
        --root) value=@folder ;;
        esac
        ;;
    gc)
        options='-h --help --keep --older --dry-run --json --root'
        case $2 in
        --keep) value=@none ;;
        --older) value=@none ;;
        --root) value=@folder ;;
        esac
        ;;
    config)
        options='-h --help --json --root'
        first='root grace stop_signals leftover timeout log_max keep_ended keep_age'
        rest='root grace stop_signals leftover timeout log_max keep_ended keep_age'
        case $2 in
        --root) value=@folder ;;
        esac
        ;;
    completion)
        options='-h --help --root'
        first='bash zsh fish'
        rest='bash zsh fish'
        case $2 in
        --root) value=@folder ;;
        esac
        ;;
    version)
        options='-h --help --json --root'
        case $2 in
        --root) value=@folder ;;
        esac
        ;;
    help)
        options=''
        first='run ps show logs wait kill why restart retry signal pause resume send notify rm gc config completion version'
        rest=@none
        ;;
    esac
}

# _bgt_reply KIND WORD: the candidates for WORD into COMPREPLY.
_bgt_reply() {
    local line IFS=$'\n'
    case $1 in
    @task-list | @name-list | @tag-list)
        COMPREPLY=($(compgen -W "$("$program" ${root:+"--root=$root"} completion "${1#@}" 2>/dev/null | cut -f 1)" -- "$2"))
        ;;
    @file) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$2")) ;;
    @folder) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$2")) ;;
    @command) COMPREPLY=($(compgen -c -- "$2")) ;;
    @none | '') ;;
    *)
        COMPREPLY=($(IFS=' '; compgen -W "$1" -- "$2"))
        for line in "${COMPREPLY[@]}"; do [[ $line == *[=:] ]] && compopt -o nospace 2>/dev/null; done
        ;;
    esac
}

_bgt() {
    local program=${COMP_WORDS[0]} verb= options= first= rest= value= root= pending= dashes= count=0 start=0 i glue= prefix
    local -a words=()
    COMPREPLY=()
    # bash splits words at = and :, put them together again.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        if [[ ${#words[@]} -gt 1 && ${COMP_WORDS[i]} =~ ^[=:]+$ ]]; then
            words[${#words[@]}-1]+=${COMP_WORDS[i]}
            glue=1
        elif [[ $glue ]]; then
            words[${#words[@]}-1]+=${COMP_WORDS[i]}
            glue=
        else
            words+=("${COMP_WORDS[i]}")
        fi
    done
    local last=$((${#words[@]} - 1)) word
    local cur=${words[last]}
    for ((i = 1; i < last; i++)); do
        word=${words[i]}
        if [[ $pending ]]; then
            [[ $pending == --root ]] && root=$word
            pending=
        elif [[ ! $verb ]]; then
            case $word in
            --root) pending=--root ;;
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
            [[ $verb == run ]] && break
        fi
    done
    value=
    if [[ ! $verb && $pending ]]; then
        _bgt_reply @folder "$cur"
    elif [[ ! $verb ]]; then
        [[ $cur == -* ]] && _bgt_reply '--root --version --help' "$cur" || _bgt_reply "$_bgt_verbs" "$cur"
    elif [[ $verb == run && $count -gt 0 ]]; then
        # The command's own completion, where the package bash-completion is loaded.
        if declare -F _command_offset >/dev/null && [[ ${#words[@]} -eq $((COMP_CWORD + 1)) ]]; then
            _command_offset "$start"
        else
            _bgt_reply @file "$cur"
        fi
        return
    elif [[ $pending ]]; then
        _bgt_verb "$verb" "$pending"
        _bgt_reply "$value" "$cur"
    elif [[ ! $dashes && $cur == --*=* ]]; then
        _bgt_verb "$verb" "${cur%%=*}"
        prefix=${cur%%=*}=
        _bgt_reply "$value" "${cur#*=}"
        COMPREPLY=("${COMPREPLY[@]/#/$prefix}")
    else
        _bgt_verb "$verb" ''
        if [[ ! $dashes && $cur == -* ]]; then
            _bgt_reply "$options" "$cur"
        elif [[ $count -eq 0 ]]; then
            _bgt_reply "$first" "$cur"
        else
            _bgt_reply "$rest" "$cur"
        fi
    fi
    # What readline takes for the word begins after the last = or :.
    prefix=${cur%"${cur##*[=:]}"}
    [[ $prefix ]] && COMPREPLY=("${COMPREPLY[@]#"$prefix"}")
}
complete -F _bgt bgt
