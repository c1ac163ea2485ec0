# The engine without the tray app, for Windows machines that nobody sits at: run as administrator.
#
#   .\install-service.ps1 -Server https://video.example.com -EnrolCode ofe_...
#
# It is no Windows service but a task of the scheduler that starts with the machine, under LOCAL SERVICE: the engine needs no
# service control manager, is started again when it ends, and leaves with the machine.
param(
    [Parameter(Mandatory = $true)] [string] $Server,
    [Parameter(Mandatory = $true)] [string] $EnrolCode,
    [string] $Agent = "$env:ProgramFiles\Offpeak\offpeak-agent.exe",
    # Not %ProgramData%\Offpeak itself: the preset there is for everybody to read.
    [string] $StateFolder = "$env:ProgramData\Offpeak\engine"
)
$ErrorActionPreference = 'Stop'

# Programs that fail are no errors to PowerShell 5.1.
function Assert-Done([string] $What) {
    if ($LASTEXITCODE -ne 0) { throw $What }
}

New-Item -ItemType Directory -Force -Path $StateFolder | Out-Null
# The token in it is for the engine's eyes only. By their SIDs, since the names of these accounts are translated: SYSTEM,
# Administrators, LOCAL SERVICE.
icacls $StateFolder /inheritance:r /grant:r '*S-1-5-18:(OI)(CI)F' '*S-1-5-32-544:(OI)(CI)F' '*S-1-5-19:(OI)(CI)M' | Out-Null
Assert-Done "The permissions of $StateFolder could not be set."

& $Agent enrol --server $Server --enrol-code $EnrolCode --state-dir $StateFolder
Assert-Done "This machine could not be enrolled with $Server."

$action = New-ScheduledTaskAction -Execute $Agent -Argument "run --server $Server --state-dir `"$StateFolder`""
$trigger = New-ScheduledTaskTrigger -AtStartup
$principal = New-ScheduledTaskPrincipal -UserId 'S-1-5-19' -LogonType ServiceAccount
$settings = New-ScheduledTaskSettingsSet -RestartCount 999 -RestartInterval (New-TimeSpan -Minutes 1) `
    -ExecutionTimeLimit ([TimeSpan]::Zero) -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries -Priority 7
Register-ScheduledTask -TaskName 'Offpeak engine' -Action $action -Trigger $trigger -Principal $principal -Settings $settings -Force | Out-Null
Start-ScheduledTask -TaskName 'Offpeak engine'
Write-Output 'The engine runs, and will start with this machine. Get-ScheduledTask "Offpeak engine" says how it is.'
