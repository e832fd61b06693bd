# fish completion of mailbearer(1). Verbs come from `mailbearer --help`, options from `mailbearer help VERB`, accounts
# from the configuration, queue ids from the queue.

function __mailbearer_given
    set -l words (commandline -opc)
    for word in $words[2..-1]
        string match -q -- '-*' $word; or echo $word
    end
end

function __mailbearer_profile
    for word in (commandline -opc)
        contains -- $word --system --user; and echo $word
    end
end

function __mailbearer_word
    switch $argv[1]
        case '*ACCOUNT*'
            mailbearer (__mailbearer_profile) config show 2>/dev/null | string replace -rf '^\[account (.*)\].*' '$1'
        case '*KIND*'
            mailbearer --help 2>/dev/null | string replace -rf '^KIND is (.*)\.$' '$1' | string split '|'
        case '*ID*'
            mailbearer (__mailbearer_profile) queue list 2>/dev/null | string replace -r '\s.*' ''
        case '*PROGRAM*'
            printf '%s\n' git mutt php symfony django cron
        case '*FILE*'
            __fish_complete_path (commandline -ct)
        case '[*' '*'
            string match -qr '[A-Z\[]' -- $argv[1]; or echo $argv[1]
    end
end

function __mailbearer_words
    set -l given (__mailbearer_given)
    set -l at (math (count $given) + 1)
    for shape in (mailbearer --help 2>/dev/null | string replace -rf '^  ([a-z].*)' '$1' | string replace -r '  .*' '')
        set -l parts (string split ' ' -- $shape)
        set -l fits yes
        for i in (seq (count $given))
            test "$parts[$i]" = "$given[$i]"; or string match -qr '[A-Z]' -- "$parts[$i]"; or set fits no
        end
        test $fits = yes; and test (count $parts) -ge $at; and __mailbearer_word $parts[$at]
    end | sort -u
end

function __mailbearer_options
    set -l given (__mailbearer_given)
    mailbearer help $given[1] 2>/dev/null | string replace -rf '^  (--[a-z-]+).*' '$1'
    printf '%s\n' --system --user
end

complete -c mailbearer -f -a '(__mailbearer_words)'
complete -c mailbearer -f -n 'string match -q -- "-*" (commandline -ct)' -a '(__mailbearer_options)'
